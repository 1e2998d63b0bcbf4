"""How spot-api is used, step by step. Usage: SPOT_API_URL=… SPOT_API_KEY=… SPOT_API_ACCOUNT=… python example.py"""

import os
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from spot_api_client import SpotApiError, connect, wait_until_ready
from spot_api_client.api.elastigroups import (
    create_elastigroup,
    delete_elastigroup,
    get_elastigroup,
    get_elastigroup_costs,
    get_elastigroup_readiness,
    list_elastigroups,
    update_elastigroup,
)
from spot_api_client.api.rolls import create_roll, get_roll, stop_roll
from spot_api_client.models import ElastigroupCreate, ElastigroupUpdate, RollCreate

url = os.environ.get("SPOT_API_URL", "http://127.0.0.1:8080")
key = os.environ.get("SPOT_API_KEY")
token = os.environ.get("SPOT_API_TOKEN")
account = os.environ.get("SPOT_API_ACCOUNT", "demo")


def say(step: str, words: Any) -> None:
    print(f"{step}: {words}")


def failure(call: Callable[[], Any]) -> SpotApiError:
    """The error that a call must end with."""
    try:
        call()
    except SpotApiError as error:
        return error
    raise AssertionError("It did not fail.")


# five calls
name = f"example-{uuid4().hex[:8]}"
body = ElastigroupCreate.from_dict({
    "name": name,
    "description": "made by an example",
    "region": "us-east-1",
    "strategy": {"risk": 100, "fallbackToOd": True},
    "capacity": {"minimum": 0, "target": 1, "maximum": 2, "unit": "instance"},
    "compute": {
        "product": "Linux/UNIX",
        "instanceTypes": {"ondemand": "t3.micro", "spot": ["t3.micro", "t3a.micro"]},
        "availabilityZones": [{"name": "us-east-1a", "subnetIds": ["subnet-0f1e2d3c"]}],
        "launchSpecification": {"imageId": "ami-0a1b2c3d", "tags": [{"tagKey": "team", "tagValue": "examples"}]},
    },
})

client = connect(url, key=key, token=token)

# Keep the Idempotency-Key until you have an answer: whoever sends the same request with it gets the same group.
idempotency_key = str(uuid4())
group = create_elastigroup.sync(account, client=client, body=body, idempotency_key=idempotency_key)

# Asks as often as the server says.
readiness = wait_until_ready(lambda: get_elastigroup_readiness.sync_detailed(account, group.id, client=client))

# UNSET (the default) stays as it is, and None clears it. With If-Match, nobody's change is lost.
answer = get_elastigroup.sync_detailed(account, group.id, client=client)
etag = answer.headers["ETag"]
changes = ElastigroupUpdate(description=None)
changed = update_elastigroup.sync(account, group.id, client=client, body=changes, if_match=etag)

found = list_elastigroups.sync(account, client=client, name=name, tag=["team:examples"])
# end

repeated = create_elastigroup.sync(account, client=client, body=body, idempotency_key=idempotency_key)
assert repeated.id == group.id
say("create", group.id)

read = answer.parsed
assert read.name == name and read.description == "made by an example"
say("read", f"{read.name}, {read.description}")

assert changed.description is None
assert changed.capacity == read.capacity
say("change", f"the description is {changed.description}")

lost = ElastigroupUpdate(name="lost")
late = failure(lambda: update_elastigroup.sync(account, group.id, client=client, body=lost, if_match=etag))
assert late.problem.status == 412
say("if-match", late.problem.title)

assert [one.id for one in found] == [group.id]
say("list", f"{len(found)} group")

assert readiness.running >= 1
say("ready", f"{readiness.running} of {readiness.target}")

costs = get_elastigroup_costs.sync(account, group.id, client=client)
assert isinstance(costs.costs.actual, (int, float))
say("costs", costs.costs.actual)

how = RollCreate(batch_size_percentage=100, grace_period=600)
roll = create_roll.sync(account, group.id, client=client, body=how, idempotency_key=str(uuid4()))
status = get_roll.sync(account, group.id, roll.id, client=client).status
stop_roll.sync_detailed(account, group.id, roll.id, client=client)
say("roll", f"{roll.id}, {status}")

missing = failure(lambda: get_elastigroup.sync(account, "sig-00000000", client=client))
assert missing.problem.status == 404
# Decide by the type, and have a branch for those that you do not know.
say("problem", f"{missing.problem.status} {missing.problem.type_}")

# Nothing is lost on the way: nulls, zeros, empty lists, and fields that this package does not know.
other = os.environ.get("SPOT_API_GROUP", group.id)
whole = get_elastigroup.sync(account, other, client=client)
same = update_elastigroup.sync(account, other, client=client, body=ElastigroupUpdate.from_dict(whole.to_dict()))
assert {**same.to_dict(), "updatedAt": ""} == {**whole.to_dict(), "updatedAt": ""}
say("send back", f"{len(whole.to_dict())} fields")

delete_elastigroup.sync_detailed(account, group.id, client=client)
assert failure(lambda: get_elastigroup.sync(account, group.id, client=client)).problem.status == 404
say("delete", group.id)
