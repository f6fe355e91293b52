"""How several workers share the tests, and the one PostgreSQL beside which all of them run.

`pytest -n 2 --dist loadgroup` gives whole files to workers, which pytest-django gives a database
each. Without -n everything here stays out of the way.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from finops import postgres, undertaker

SHARED_SERVER = "FARTHING_TEST_POSTGRES"
# They take longest, mostly waiting: begun first, no other worker waits for them at the end.
LONGEST = ("test_crash.py", "test_up.py", "test_postgres.py", "test_demo.py", "test_supervisor.py")
INSTALLATION = "the shared installation"
WITH_COMMITS = {"live_server", "transactional_db", "django_db_serialized_rollback"}
_ending = pytest.StashKey[ExitStack]()


@contextmanager
def running_postgres() -> Iterator[Path]:
    """The embedded PostgreSQL in a temporary directory; the directory of its socket."""
    home = Path(tempfile.mkdtemp(prefix="farthing-test-"))
    sockets = home / "run" / "postgres"
    server = postgres.start(home / "postgres", sockets, say=print, durable=False)
    # Ends the server even when this process is killed and cannot.
    watching = start_undertaker(server.pid)
    try:
        yield sockets
    finally:
        postgres.stop(server)
        watching.communicate(f"- {server.pid}\n".encode())
        shutil.rmtree(home)


def start_undertaker(pid: int) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-S", "-E", undertaker.__file__]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, start_new_session=True)
    assert process.stdin
    process.stdin.write(f"+ {pid} {int(signal.SIGINT)}\n".encode())
    process.stdin.flush()
    return process


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Before the first worker starts: all of them find the server in their environment."""
    if settings.EMBEDDED_POSTGRES:
        ending = config.stash.setdefault(_ending, ExitStack())
        os.environ[SHARED_SERVER] = str(ending.enter_context(running_postgres()))


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash.setdefault(_ending, ExitStack()).close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Keep files whole, and everything that looks at the shared installation in one place."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    yield
    if hasattr(config, "workerinput"):
        items.sort(key=turn)


def group_of(item: pytest.Item) -> str:
    if "farthing" in fixtures_of(item):
        return INSTALLATION
    return f"{item.path.name} commits" if commits(item) else item.path.name


def turn(item: pytest.Item) -> int:
    """What commits empties tables at its end, and migrations filled some: that comes last, and of
    it first what takes long in a browser, so that workers end at about the same time."""
    if commits(item):
        return 2 if "browser" in fixtures_of(item) else 3
    first = "farthing" in fixtures_of(item) or item.path.name in LONGEST
    return 0 if first else 1


def commits(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("django_db")
    return bool(fixtures_of(item) & WITH_COMMITS or (marked and marked.kwargs.get("transaction")))


def fixtures_of(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))
