"""Answers in ASGI's terms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from ingest.problems import Problem

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"


async def answer(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = JSON,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    length = str(len(body)).encode()
    fixed = ((b"content-type", content_type), (b"content-length", length))
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_problem(send: Send, problem: Problem) -> None:
    body = msgspec.json.encode(problem.as_json())
    headers = tuple(
        (name.encode(), value.encode("latin-1")) for name, value in problem.headers.items()
    )
    await answer(send, problem.status, body, PROBLEM_JSON, headers)
