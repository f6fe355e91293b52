"""A real ingest process for tests: uvicorn on a loopback port, in a thread, on the test database.

One server serves a module. Tests keep apart by writing with a key of their own service.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from finops.conninfo import conninfo
from finops.ingest_process import configuration
from ingest import app, keys
from ingest.protocol import Server
from tests.fact_tables import FORGET

EVENTS = "/api/v1/events"


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What `condition` returns as soon as it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if result := condition():
            return result
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


class Clock:
    """A server's idea of the time, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@contextlib.contextmanager
def serve(application: app.App, port: int = 0) -> Iterator[str]:
    """The address of a running server; on leaving it has answered what it took and ended."""
    where = {"host": "127.0.0.1", "port": port}
    server = Server(configuration(application, **where), application.writer.give_up)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive())
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def event(**fields: Any) -> dict[str, Any]:
    """A valid event of now, with an id of its own."""
    return {
        "id": uuid4().hex,
        "timestamp": datetime.now(UTC).isoformat(),
        "provider": "openai",
        "model": "gpt-4o",
        "input_tokens": 100,
        "output_tokens": 20,
        **fields,
    }


@dataclass
class Door:
    """A running server and a key for it."""

    url: str
    database: psycopg.Connection[dict[str, Any]]
    application: app.App
    http: httpx.Client
    source: str
    key: str

    def post(
        self, body: Any = None, *, content: bytes | None = None, **headers: str
    ) -> httpx.Response:
        """POST events (as JSON, or as `content`), with the key unless headers say otherwise."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            given = {"content-type": "application/json", **given}
        return self.http.post(
            EVENTS,
            json=body if content is None else None,
            content=content,
            headers={"authorization": f"Bearer {self.key}", **given},
        )

    def rows(self) -> list[dict[str, Any]]:
        """The stored events of this door's source, with their attribution and user spelled out."""
        return self.database.execute(
            """
            SELECT usage.*, attribution.*, end_user.name AS user_name,
                   usage.tags AS tags, attribution.tags AS dimension_tags
            FROM usage_event AS usage
            JOIN ingest_batch AS batch ON batch.id = usage.batch_id
            JOIN attribution ON attribution.id = usage.attribution_id
            JOIN end_user ON end_user.id = usage.user_id
            WHERE batch.source = %s
            ORDER BY usage.event_id, usage.day
            """,
            [self.source],
        ).fetchall()

    def row(self) -> dict[str, Any]:
        [row] = self.rows()
        return row

    def batches(self) -> list[dict[str, Any]]:
        return self.database.execute(
            "SELECT * FROM ingest_batch WHERE source = %s ORDER BY id", [self.source]
        ).fetchall()

    def new_key(self, service: str, team: str = "", environment: str = "") -> str:
        return add_key(self.database, service, team, environment)


def add_key(
    database: psycopg.Connection[Any], service: str, team: str = "", environment: str = ""
) -> str:
    key = keys.generate()
    database.execute(
        """
        INSERT INTO ingest_key (prefix, digest, service, team, environment, created_at)
        VALUES (%s, %s, %s, %s, %s, now())
        """,
        [key.prefix, key.digest, service, team, environment],
    )
    return key.text


def result(response: httpx.Response) -> Mapping[str, Any]:
    assert response.status_code == 200, response.text
    answer: Mapping[str, Any] = response.json()
    return answer


@pytest.fixture(scope="module")
def database(django_db_setup: None) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A connection of its own to the test database; facts are removed after the module."""
    with psycopg.connect(conninfo(), autocommit=True, row_factory=dict_row) as connection:
        yield connection
        for statement in (*FORGET, "DELETE FROM ingest_key"):
            connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture
def elsewhere(tmp_path: Path) -> tuple[str, Path]:
    """A way to the test database that can be cut: its conninfo and a link to cut or mend."""
    host = str(conninfo_to_dict(conninfo()).get("host", ""))
    if not host.startswith("/"):
        pytest.skip("needs PostgreSQL on a Unix socket")
    link = tmp_path / "pg"
    link.symlink_to(host)
    return make_conninfo(conninfo(), host=str(link)), link


@pytest.fixture(scope="module")
def ingest_app(database: psycopg.Connection[dict[str, Any]]) -> app.App:
    return app.create(dsn=conninfo())


@pytest.fixture(scope="module")
def ingest_server(ingest_app: app.App) -> Iterator[str]:
    with serve(ingest_app) as url:
        yield url


@pytest.fixture
def door(
    db: None,
    ingest_server: str,
    ingest_app: app.App,
    database: psycopg.Connection[dict[str, Any]],
) -> Iterator[Door]:
    """The module's server with a key, and so a source, of this test's own.

    What the server commits is not in the test's transaction. `db` is asked for all the same:
    without it pytest-django makes no test database.
    """
    # Without certificates, which no address here has, and which would be read for every test.
    with httpx.Client(base_url=ingest_server, timeout=30, verify=False) as http:
        opened = Door(ingest_server, database, ingest_app, http, f"service-{uuid4().hex}", "")
        opened.key = opened.new_key(opened.source)
        yield opened
