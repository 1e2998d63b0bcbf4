import json
import os

import openapi_client as spot

account = os.environ["SPOT_API_ACCOUNT"]
configuration = spot.Configuration(host=os.environ["SPOT_API_URL"])
client = spot.ApiClient(configuration, header_name="X-Auth-Token", header_value=os.environ["SPOT_API_TOKEN"])
groups = spot.ElastigroupsApi(client)

# Not from_dict, which would send null for every key that is missing.
body = spot.ElastigroupCreate.model_validate(json.loads(os.environ["GROUP"]))
id = groups.create_elastigroup(account, body).id
name = groups.get_elastigroup(account, id).name
groups.update_elastigroup(account, id, spot.ElastigroupUpdate(description=None))
assert len(groups.list_elastigroups(account, name=name)) == 1
groups.delete_elastigroup(account, id)
