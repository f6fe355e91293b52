"""Everything that is no ingest door goes to the web process, over its Unix socket.

What is sent is taken whole before the web process hears of it, within bounds, so that whoever sends
slowly keeps none of the few connections to it. Answers stream, a piece at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

import httpx

from ingest.answers import Send, answer_problem
from ingest.bodies import ClientGone, Receive, receive_body
from ingest.memory import Memory
from ingest.problems import Problem, unavailable

log = logging.getLogger(__name__)

# RFC 9110 §7.6.1: these concern one connection, not the message.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Ours to say, whatever the client claims.
_FORWARDED = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"}
)
_ASKED_WITH = (b"host", b"authorization")
# The largest thing that a page takes is a price file of 16 MiB, in a form.
MAX_BODY_BYTES = 17 * 2**20
RECEIVE_SECONDS = 60.0
# The pages take some seconds to start, and are asked meanwhile by whoever waits for them.
STARTING_SECONDS = 30.0
AWAY = "The pages are starting or being restarted. Try again in a moment."
# A page or an export may take its time; connecting may not.
TIMEOUT = httpx.Timeout(120.0, connect=2.0, pool=10.0)
LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=15.0)

Headers = list[tuple[bytes, bytes]]


class Proxy:
    """A reverse proxy to the web process behind one Unix socket."""

    def __init__(
        self,
        web_socket: str,
        memory: Memory | None = None,
        receive_seconds: float = RECEIVE_SECONDS,
    ) -> None:
        self._memory = memory or Memory()
        self._started = time.monotonic()
        self._has_answered = False
        self._receive_seconds = receive_seconds
        self._client = httpx.AsyncClient(
            # There is no TLS on a socket, and the authorities of others would take 4 MB.
            transport=httpx.AsyncHTTPTransport(
                uds=web_socket, limits=LIMITS, retries=1, verify=False
            ),
            base_url="http://web",
            timeout=TIMEOUT,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def fetch(self, path: str, asked_with: Mapping[bytes, bytes]) -> httpx.Response:
        """One small answer of the web process, under the Host and with the token that a client's
        headers name. Raises HTTPError."""
        headers = {b"host": b"localhost"}
        headers |= {name: asked_with[name] for name in _ASKED_WITH if name in asked_with}
        return await self._client.get(path, headers=headers, timeout=5.0)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Forward one request and its answer; 503 when the web process is away, 413 or 408 for a
        body that is too large or too slow."""
        with self._memory.share() as share:
            try:
                async with asyncio.timeout(self._receive_seconds):
                    headers = dict(scope["headers"])
                    body = await receive_body(receive, headers, share, MAX_BODY_BYTES)
            except Problem as problem:
                await answer_problem(send, problem)
            except TimeoutError:
                await answer_problem(send, Problem(408, "The body took too long to arrive."))
            except ClientGone:
                return
            else:
                await self._forward(
                    scope, bytes(body) if not isinstance(body, bytes) else body, send
                )

    async def _forward(self, scope: MutableMapping[str, Any], body: bytes, send: Send) -> None:
        try:
            response = await self._client.send(self._request(scope, body), stream=True)
        except httpx.HTTPError as error:
            log.log(self._level(), "web does not answer %s: %r", scope["path"], error)
            await answer_problem(send, _problem(error))
            return
        self._has_answered = True
        try:
            await _relay(response, send, with_body=scope["method"] != "HEAD")
        finally:
            await response.aclose()

    def _level(self) -> int:
        """Of a line about pages that are away: none to worry about while they first start."""
        is_starting = time.monotonic() - self._started < STARTING_SECONDS
        return logging.DEBUG if is_starting and not self._has_answered else logging.WARNING

    def _request(self, scope: MutableMapping[str, Any], body: bytes) -> httpx.Request:
        target = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        headers = [pair for pair in forwarded_headers(scope) if pair[0] != b"content-length"]
        if {name for name, _ in scope["headers"]} & {b"content-length", b"transfer-encoding"}:
            headers.append((b"content-length", str(len(body)).encode()))
        # waitress sends the body of an answer to HEAD too, where the next answer is looked for.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        request = self._client.build_request(
            method, httpx.URL("http://web").copy_with(raw_path=target), content=body
        )
        # As the client sent them, not with httpx's own defaults; h11 frames the body by them.
        request.headers = httpx.Headers(headers)
        return request


def forwarded_headers(scope: MutableMapping[str, Any]) -> Headers:
    """The client's end-to-end headers, and who asked for which host over what."""
    headers = list(end_to_end(scope["headers"]))
    host = next((value for name, value in headers if name == b"host"), b"localhost")
    client = scope.get("client")
    headers = [(name, value) for name, value in headers if name not in _FORWARDED]
    headers.append((b"x-forwarded-for", (client[0] if client else "127.0.0.1").encode()))
    headers.append((b"x-forwarded-host", host))
    headers.append((b"x-forwarded-proto", scope["scheme"].encode()))
    return headers


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """Without what concerns one connection only, by rule or by the Connection header's word."""
    given = [(name.lower(), value) for name, value in headers]
    named = {
        token.strip().lower()
        for name, value in given
        if name == b"connection"
        for token in value.split(b",")
    }
    dropped = _HOP_BY_HOP | named
    return [(name, value) for name, value in given if name not in dropped]


async def _relay(response: httpx.Response, send: Send, *, with_body: bool) -> None:
    # The server in front writes its own date.
    headers = [pair for pair in end_to_end(response.headers.raw) if pair[0] != b"date"]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if with_body:
        # Raw: compressed bodies pass as they are.
        async for piece in response.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _problem(error: httpx.HTTPError) -> Problem:
    if isinstance(error, httpx.ReadTimeout):
        return Problem(504, "The page took too long.")
    return unavailable(AWAY, retry_after_seconds=2)
