"""POST /api/v1/authorize and what belongs to it.

/api/v1/authorize                      a question as JSON
/api/v1/authorize/gate                 the same in headers, answered by a status
/api/v1/authorize/{id}/settle, /release
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from ingest.answers import Send, send_answer
from ingest.bodies import ClientGone, Receive, receive_body
from ingest.doors.door import Answer, content_type_of, problem_json
from ingest.enforcement import answers
from ingest.enforcement.authority import Authority
from ingest.enforcement.holding import Away
from ingest.enforcement.questions import question_of_headers, read_question, read_settling
from ingest.keys import KnownKey
from ingest.limits import Limited
from ingest.memory import Memory
from ingest.metrics import Metrics
from ingest.problems import Problem, unavailable
from ingest.reception import Reception

log = logging.getLogger(__name__)

AUTHORIZE = "/api/v1/authorize"
GATE = "/api/v1/authorize/gate"
MAX_BODY_BYTES = 64 * 1024
AWAY = "The database is away; nothing was changed. Send this again."
GONE = (
    "Nothing is reserved under this id by this key's service: it was released, it has expired, its "
    "event is in the figures already, or, where it is to be released, it was settled."
)
Headers = Mapping[bytes, bytes]


class Authorizing:
    """The endpoint. `clock` gives Unix time."""

    def __init__(
        self,
        authority: Authority,
        reception: Reception,
        memory: Memory,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self.authority = authority
        self._reception = reception
        self._memory = memory
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            given = await self._answer(scope, receive)
        except Problem as problem:
            given = problem_json(problem, "")
        except Away:
            given = problem_json(unavailable(AWAY), "")
        except ClientGone:
            self._metrics.requests(499).inc()
            return
        except Exception:
            log.exception("A request to %s failed.", scope["path"])
            given = problem_json(unavailable("Something went wrong here. Send this again."), "")
        await send_answer(send, given)
        self._metrics.requests(given.status).inc()

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> Answer:
        path, headers = scope["path"], dict(scope["headers"])
        taken = "GET" if path == GATE else "POST"
        if scope["method"] != taken:
            raise Problem(405, f"{path[:100]} takes {taken}.", allow=taken)
        if path == GATE:
            return await self._gate(headers, scope["query_string"])
        key = await self._reception.admit(headers)
        if path == AUTHORIZE:
            self._count(key)
            question = read_question(await self._body(key.scope.key_id, headers, receive))
            said = await self.authority.authorize(key.scope, question, self._clock())
            return answers.authorized(said, key.scope)
        id, verb = _named(path)
        if verb == "settle":
            settling = read_settling(await self._body(key.scope.key_id, headers, receive))
            was_held = await self.authority.settle(id, key.scope, settling, self._clock())
        else:
            was_held = await self.authority.release(id, key.scope, self._clock())
        if not was_held:
            raise Problem(404, GONE)
        return answers.ended(str(id), "settled" if verb == "settle" else "released")

    async def _gate(self, headers: Headers, query: bytes) -> Answer:
        """Proxies ask so whatever the method of the request is."""
        key = await self._reception.admit(headers)
        throttled = parse_qs(query.decode("latin-1")).get("throttled", ["429"])[-1]
        if throttled not in {"403", "429"}:
            raise Problem(400, "throttled is 429, or 403 for proxies that know no other refusal.")
        try:
            self._count(key)
            question = question_of_headers(headers)
            said = await self.authority.authorize(key.scope, question, self._clock())
        except Problem as problem:
            # To proxies that know one refusal anything else is an error, past which they may let
            # calls: whoever sends them a header that cannot be read, or asks without end, would
            # ask nobody.
            if throttled == "403" and problem.status in {400, 429}:
                problem.status = 403
            raise
        return answers.as_status(said, int(throttled))

    def _count(self, key: KnownKey) -> None:
        """Raises Limited where the key asks more often than it may send events."""
        if key.questions:
            try:
                key.questions.take(1, self._clock())
            except Limited as refusal:
                refusal.events = 0  # it holds none
                self._reception.note_limited(key, refusal)
                raise

    async def _body(self, owner: int, headers: Headers, receive: Receive) -> bytes:
        content_type = content_type_of(headers)
        if content_type not in {"application/json", ""}:
            raise Problem(
                415,
                f"Content-Type {content_type[:60]!r}: send application/json.",
                accept="application/json",
            )
        if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise Problem(415, "Send this without a Content-Encoding.", accept_encoding="identity")
        with self._memory.share(owner) as share:
            return bytes(await receive_body(receive, headers, share, MAX_BODY_BYTES))


def _named(path: str) -> tuple[UUID, str]:
    """The reservation and what becomes of it; Problem 404 for any other address."""
    id, _, verb = path.removeprefix(AUTHORIZE + "/").partition("/")
    if verb not in {"settle", "release"}:
        raise Problem(
            404,
            f"Nothing is at {path[:100]}. There are {AUTHORIZE}, {GATE}, {AUTHORIZE}/{{id}}/settle "
            f"and {AUTHORIZE}/{{id}}/release.",
        )
    try:
        return UUID(id), verb
    except ValueError:
        raise Problem(404, GONE) from None
