"""Answers in ASGI's terms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ingest.doors.door import JSON, Answer, problem_json
from ingest.problems import Problem

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
# The body may repeat what a client sent; no browser shall guess that it is a page.
AS_SAID = (b"x-content-type-options", b"nosniff")


async def answer(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = JSON,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    length = str(len(body)).encode()
    fixed = ((b"content-type", content_type), (b"content-length", length), AS_SAID)
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


async def send_answer(send: Send, given: Answer) -> None:
    await answer(send, given.status, given.body, given.content_type, given.headers)


async def answer_problem(send: Send, problem: Problem) -> None:
    await send_answer(send, problem_json(problem, ""))
