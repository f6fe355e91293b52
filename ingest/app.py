"""The ASGI application in front: ingest doors, health, and a proxy to the pages.

app = create(dsn=…, rate_card_loader=…, web_socket=…, retention_days=400)
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from ingest.addresses import meant, nowhere
from ingest.answers import Send, answer, answer_problem, send_answer
from ingest.attribution import Register
from ingest.bodies import ClientGone, Receive
from ingest.configuration import Configuration
from ingest.doors import otlp
from ingest.doors.cloudevents import CLOUDEVENTS
from ingest.doors.door import Door, content_type_of
from ingest.doors.litellm import LITELLM
from ingest.doors.native import EVENTS
from ingest.enforcement.authority import Authority
from ingest.enforcement.endpoint import AUTHORIZE, GATE, Authorizing
from ingest.enforcement.holding import Holder
from ingest.keys import KeyRing
from ingest.memory import Memory, give_to_system
from ingest.metrics import CONTENT_TYPE, Metrics
from ingest.problems import Problem, unavailable
from ingest.proxy import Proxy
from ingest.rating import RateCardLoader
from ingest.reception import Reception
from ingest.saturation import Levels, Saturation, fullest
from ingest.settlements.settler import Settler
from ingest.writer import QUEUED_ROWS, THREADS, Writer

log = logging.getLogger(__name__)

DOORS: tuple[Door, ...] = (EVENTS, LITELLM, CLOUDEVENTS)
FIRST_LOAD_SECONDS = 5.0

Scope = MutableMapping[str, Any]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


def create(
    *,
    dsn: str,
    rate_card_loader: RateCardLoader | None = None,
    web_socket: str | None = None,
    retention_days: int = 400,
    user_hash_key: str = "",
    clock: Callable[[], float] = time.time,
) -> App:
    """The application; it starts its threads with ASGI's lifespan and ends them with it.

    Without a loader of rate cards events are stored unpriced; without a web socket every other
    address is 404; without a key names of users cannot be hashed. `clock` gives Unix time, by
    which keys stop and their limits count.
    """
    metrics = Metrics()
    memory = Memory()
    configuration = Configuration(dsn, rate_card_loader, user_hash_key)
    register = Register()
    configuration.obeying.append(lambda decisions: register.limit(decisions.limits))
    configuration.kept.append(register.cardinality.noted)
    configuration.forget, configuration.name_users = register.forget, register.name_users
    writer = Writer(dsn, register, configuration.card_in_force, metrics)
    settler = Settler(
        dsn, register, configuration.card_in_force, lambda: configuration.activated_tags, metrics
    )
    reception = Reception(
        configuration,
        writer,
        metrics,
        retention=timedelta(days=retention_days),
        memory=memory,
        clock=clock,
    )
    authority = Authority(configuration, Holder(dsn, clock), metrics)
    authorizing = Authorizing(authority, reception, memory, metrics, clock)
    saturation = Saturation(partial(_levels, configuration.keys, writer, memory, metrics, clock))
    configuration.kept.append(saturation)
    metrics.show("held_bytes", "Memory that requests hold.", lambda: memory.held)
    metrics.show("held_bytes_limit", "Memory that requests may hold.", lambda: memory.limit)
    metrics.show("waiting_bodies", "Large bodies that wait for room.", lambda: memory.waiting)
    metrics.show("writers_away", "Writers without a connection.", lambda: writer.away)
    metrics.show("budgets_age_seconds", "Of budgets' figures.", lambda: authority.age(clock()))
    metrics.show("busy_seconds", "Of all writers.", lambda: metrics.commit_seconds.total)
    proxy = Proxy(web_socket, memory) if web_socket else None
    return App(
        configuration,
        register,
        writer,
        settler,
        reception,
        authorizing,
        metrics,
        saturation,
        proxy,
    )


def _levels(
    keys: KeyRing, writer: Writer, memory: Memory, metrics: Metrics, clock: Callable[[], float]
) -> Levels:
    commits = list(metrics.commit_seconds.latest)
    metrics.commit_seconds.latest.clear()
    return Levels(
        queued_events=writer.queued_rows,
        most_queued_events=QUEUED_ROWS,
        held_bytes=memory.take_largest_held(),
        most_held_bytes=memory.limit,
        waiting_bodies=memory.waiting,
        writers=THREADS,
        away=writer.away,
        busy_seconds=metrics.commit_seconds.total,
        commits=commits,
        keys=fullest(keys.used(clock())),
    )


class App:
    """Routes by path. Never answers 500: clients of telemetry drop what they cannot retry."""

    def __init__(
        self,
        configuration: Configuration,
        register: Register,
        writer: Writer,
        settler: Settler,
        reception: Reception,
        authorizing: Authorizing,
        metrics: Metrics,
        saturation: Saturation,
        proxy: Proxy | None,
    ) -> None:
        self.saturation = saturation
        self.configuration = configuration
        self.register = register
        self.writer = writer
        self.settler = settler
        self.reception = reception
        self.authorizing = authorizing
        self.metrics = metrics
        self.proxy = proxy
        self._endpoints: dict[str, Endpoint] = {
            **{door.path: partial(self._serve, door) for door in (*DOORS, *otlp.doors())},
            AUTHORIZE: authorizing,
            GATE: authorizing,
            "/healthz": self._health,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        endpoint = self._endpoints.get(scope["path"], self._elsewhere)
        await endpoint(scope, receive, send)

    async def _serve(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            if scope["method"] != "POST":
                raise Problem(405, f"{door.path} takes POST.", allow="POST")
            given = await self.reception.serve(door, headers, receive)
        except Problem as problem:
            given = door.refuse(problem, content_type_of(headers))
        except ClientGone:
            self.metrics.requests(499).inc()
            return
        except Exception:
            log.exception("A request to %s failed.", door.path)
            failure = unavailable("Something went wrong here. Send this again.")
            given = door.refuse(failure, content_type_of(headers))
        await send_answer(send, given)
        self.metrics.requests(given.status).inc()
        self.saturation.answered(given.status)

    async def _health(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, b'{"status":"ok"}')

    async def _metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The web process' metrics, when it answers, and ours after them."""
        text = b""
        if self.proxy:
            try:
                response = await self.proxy.fetch("/metrics", dict(scope["headers"]))
                text = response.content if response.is_success else b""
            except httpx.HTTPError as error:
                log.warning("web gives no metrics: %r", error)
        if text and not text.endswith(b"\n"):
            text += b"\n"
        own = self.metrics.text(self.register.cardinality.overflows)
        await answer(send, 200, text + own, CONTENT_TYPE.encode())

    async def _elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        if endpoint := meant(scope["path"], self._endpoints):
            await endpoint(scope, receive, send)
        elif scope["path"].startswith(AUTHORIZE + "/"):
            await self.authorizing(scope, receive, send)
        elif given := nowhere(scope["path"], dict(scope["headers"])):
            await send_answer(send, given)
        elif self.proxy:
            await self.proxy(scope, receive, send)
        else:
            await answer_problem(send, Problem(404, f"Nothing is at {scope['path']}."))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _start(self) -> None:
        self.configuration.start()
        self.writer.start()
        self.settler.start()
        self.authorizing.authority.start()
        loaded = self.configuration.wait_until_loaded
        if not await asyncio.to_thread(loaded, FIRST_LOAD_SECONDS):
            log.warning(
                "Starting without %s: events are answered 503 until then.", self.configuration.lacks
            )
        give_to_system()  # what reading the price ledger took

    async def _stop(self) -> None:
        await self.authorizing.authority.close()
        await asyncio.to_thread(self.writer.close)
        await asyncio.to_thread(self.settler.close)
        await asyncio.to_thread(self.configuration.close)
        self.reception.close()
        if self.proxy:
            await self.proxy.close()
