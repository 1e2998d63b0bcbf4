"""Written by hand; everything else here is generated."""

import asyncio
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import bcrypt
import httpx
from attrs import define, field

from .client import Client
from .models.problem import Problem
from .models.readiness import Readiness
from .types import Response

_KEY = "Idempotency-Key"
_CREATES = re.compile(r"/(elastigroups|instances|rolls|imports)$")
# Failures that pass. So does a 409 with Retry-After: the first request with this key is under way.
_FOR_NOW = {429, 502, 503, 504}


class SpotApiError(Exception):
    """Raised when the server answers with a problem. Without any answer it is an error of httpx.

    problem.type_ says what it is; a newer server may answer types that this package does not know.
    """

    def __init__(self, problem: Problem, response: httpx.Response) -> None:
        self.problem = problem
        self.response = response
        super().__init__(" ".join(filter(None, [f"{problem.status} {problem.title}:", problem.detail, problem.hint])))


def connect(
    url: str, *, key: str | None = None, token: str | None = None, patience: float = 120, **options: Any
) -> Client:
    """Hand the result to each function, as client.

    url is the origin of the server, such as https://spot.example.org. Pass the pre-shared key, from which a token is
    made once; or pass token, a value for X-Auth-Token, as `spot-api token` makes it. A read or a create is repeated for
    up to patience seconds while it fails for now. The options are those of httpx.Client, such as verify and timeout.
    """
    if not re.match("https?://", url, re.IGNORECASE):
        raise ValueError(f"The url must begin with http:// or https://, not {url}")
    if token is None:
        if key is None:
            raise TypeError("connect() needs a key or a token.")
        token = bcrypt.hashpw(key.encode(), bcrypt.gensalt(10)).decode()
    headers = {**options.pop("headers", {}), "X-Auth-Token": token}
    return _Connection(url, headers=headers, timeout=options.pop("timeout", 90), httpx_args=options, patience=patience)


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


@define
class _Connection(Client):
    """So that with_headers() and the like keep the token, the repeats and the errors."""

    patience: float = field(default=120, kw_only=True)

    def get_httpx_client(self) -> httpx.Client:
        if self._client is None:
            self._client = _Repeating(self.patience, self._settings())
        return self._client

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        if self._async_client is None:
            self._async_client = _RepeatingAsync(self.patience, self._settings())
        return self._async_client

    def _settings(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "cookies": self._cookies,
            "headers": self._headers,
            "timeout": self._timeout,
            **self._httpx_args,
        }


class _Attempts:
    """Decides whether and when one request is sent again."""

    def __init__(self, request: httpx.Request, patience: float) -> None:
        is_create = request.method == "POST" and _CREATES.search(request.url.path) is not None
        if is_create and _KEY not in request.headers:
            request.headers[_KEY] = str(uuid.uuid4())
        self.is_repeatable = is_create or request.method == "GET"
        self.end = time.monotonic() + patience
        self.pause = 0.5

    def pause_after(self, response: httpx.Response | None) -> float | None:
        """Seconds to wait before it is sent again, or None if it is not. response is None if there was no answer."""
        asked = None if response is None else _retry_after(response.headers)
        status = None if response is None else response.status_code
        for_now = status is None or status in _FOR_NOW or (status == 409 and asked is not None)
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
    """The problem of an answer. A proxy on the way may answer without one: then it is made of the status."""
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
