"""Written by hand; everything else here is generated."""

import asyncio
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import bcrypt
import httpx

from .client import Client
from .models.problem import Problem
from .models.readiness import Readiness
from .types import Response

_KEY = "Idempotency-Key"
_CREATES = re.compile(r"/(elastigroups|instances|rolls|imports)$")
# Of reads, and of creates with a key, which happen once however often they are sent. 409: the first is under way.
_FOR_NOW = {429, 502, 503, 504}


class SpotApiError(Exception):
    """What all failures of the server are.

    problem.type_ says what it is; a newer server may answer types that this package does not know.
    """

    def __init__(self, problem: Problem, response: httpx.Response) -> None:
        self.problem = problem
        self.response = response
        super().__init__(" ".join(filter(None, [f"{problem.status} {problem.title}:", problem.detail, problem.hint])))


def connect(
    url: str, *, key: str | None = None, token: str | None = None, patience: float = 120, **options: Any
) -> Client:
    """Hand the result to each function, as client. They raise a SpotApiError.

    url is the origin of the server, such as https://spot.example.org. Of the pre-shared key a token is made once, which
    takes a moment; or token is a value for X-Auth-Token, as `spot-api token` makes it. A read or a create that fails for
    now is repeated for patience seconds. The options are those of httpx.Client, such as verify and timeout.
    """
    if token is None:
        if key is None:
            raise TypeError("connect() needs a key or a token.")
        token = bcrypt.hashpw(key.encode(), bcrypt.gensalt(10)).decode()
    settings = {"base_url": url, "headers": {"X-Auth-Token": token}, "timeout": 90, **options}
    client = Client(base_url=url)
    client.set_httpx_client(_Repeating(patience, settings))
    client.set_async_httpx_client(_RepeatingAsync(patience, settings))
    return client


def wait_until_ready(ask: Callable[[], Response[Readiness]], *, seconds: float = 1800) -> Readiness:
    """Waits until a group or an instance is up, and asks as often as the server says.

    ask is such as lambda: get_elastigroup_readiness.sync_detailed(account, group, client=client). Raises a SpotApiError
    when asking again is of no use, and a TimeoutError when it is not up after so many seconds.
    """
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        readiness = answer.parsed
        assert readiness is not None
        if readiness.ready:
            return readiness
        pause = _retry_after(answer.headers) or 15
        if time.monotonic() + pause > end:
            raise TimeoutError(f"It is not ready after {seconds} seconds: {' '.join(readiness.reasons)}")
        time.sleep(pause)


class _Attempts:
    """How often one request is sent, and when."""

    def __init__(self, request: httpx.Request, patience: float) -> None:
        is_create = request.method == "POST" and _CREATES.search(request.url.path) is not None
        if is_create and _KEY not in request.headers:
            request.headers[_KEY] = str(uuid.uuid4())
        self.is_repeatable = is_create or request.method == "GET"
        self.end = time.monotonic() + patience
        self.pause = 0.5

    def pause_after(self, response: httpx.Response | None) -> float | None:
        """Seconds after which to send it again; None if it is not. None as response: there was no answer."""
        asked = None if response is None else _retry_after(response.headers)
        for_now = response is None or response.status_code in _FOR_NOW or (response.status_code == 409 and asked)
        pause = self.pause if asked is None else asked
        self.pause *= 2
        return pause if self.is_repeatable and for_now and time.monotonic() + pause <= self.end else None


class _Repeating(httpx.Client):
    def __init__(self, patience: float, settings: dict[str, Any]) -> None:
        super().__init__(**settings)
        self._patience = patience

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        attempts = _Attempts(request, self._patience)
        while True:
            try:
                response = super().send(request, **options)
                pause = attempts.pause_after(response)
            except httpx.TransportError:
                response = None
                pause = attempts.pause_after(None)
                if pause is None:
                    raise
            if pause is None:
                return _succeeded(response)
            time.sleep(pause)


class _RepeatingAsync(httpx.AsyncClient):
    def __init__(self, patience: float, settings: dict[str, Any]) -> None:
        super().__init__(**settings)
        self._patience = patience

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        attempts = _Attempts(request, self._patience)
        while True:
            try:
                response = await super().send(request, **options)
                pause = attempts.pause_after(response)
            except httpx.TransportError:
                response = None
                pause = attempts.pause_after(None)
                if pause is None:
                    raise
            if pause is None:
                return _succeeded(response)
            await asyncio.sleep(pause)


def _retry_after(headers: Any) -> float | None:
    seconds = headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None


def _succeeded(response: httpx.Response) -> httpx.Response:
    if response.status_code < 400:
        return response
    raise SpotApiError(_problem_of(response), response)


def _problem_of(response: httpx.Response) -> Problem:
    """The problem, or one in its place: what stands between may answer something else."""
    stand_in = {
        "type": "about:blank",
        "title": response.reason_phrase,
        "status": response.status_code,
        "detail": response.text[:200],
        "instance": response.url.path,
        "requestId": "",
    }
    try:
        return Problem.from_dict(response.json())
    except (ValueError, KeyError, TypeError):
        return Problem.from_dict(stand_in)
