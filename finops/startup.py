"""What `manage.py up` starts, in which order, and what has to hold before it does."""

from __future__ import annotations

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import connection

from finops import accounts, postgres
from finops.privileges import NotOurs, private_directory
from finops.supervisor import CannotStart, Child, StopRequested, Supervisor, relay, say, spawn, tell

MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))
# Django's checks import every page; the web process makes them, the others start without.
UNCHECKED = "--skip-checks"
READY_SECONDS = 300.0
# Several threads of small allocations make glibc keep memory in many arenas, and numpy start
# a pool of threads; neither earns its memory here.
CHILD_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, (str(settings.BASE_DIR), os.getenv("PYTHONPATH")))),
}

# Who asks whether a call may be made waits for the answer; rollups and budgets do not mind some
# milliseconds more. Without this the worker's bursts double the 99th percentile of such answers.
NICENESS = {"worker": 5}


def up(*, demo: bool) -> None:
    """Run Farthing until told to stop. Raises CannotStart."""
    with data_directory_lock():
        check_port()
        supervisor = Supervisor()
        try:
            start(supervisor, demo=demo)
            supervisor.wait_for(lambda: None)
        except StopRequested:
            say("Stopping.")
        finally:
            stop(supervisor)
            say(f"Stopped. The data stays in {settings.DATA_DIR}.")


def start(supervisor: Supervisor, *, demo: bool) -> None:
    """Start everything, and return when the server is ready for users."""
    try:
        private_directory(settings.RUNTIME_DIR)
        if settings.EMBEDDED_POSTGRES:
            start_postgres(supervisor)
    except (NotOurs, postgres.PostgresError) as error:
        raise CannotStart(str(error)) from None
    if settings.EMBEDDED_BROKER:
        for name in ("queue", "control"):
            (settings.BROKER_DIR / name).mkdir(parents=True, exist_ok=True)
    supervisor.run("prepare", [*MANAGE, "prepare", UNCHECKED])
    say("Starting ingest, web and worker.")
    for name, command in programs().items():
        supervisor.add(child(name, command))
    supervisor.wait_until_ready(missing, READY_SECONDS)
    if demo:
        # Unprefixed, because it shows its progress on the terminal.
        supervisor.run("load_demo", [*MANAGE, "load_demo", "--url", address()], prefixed=False)
    say("Ctrl-C stops Farthing.")
    first = "" if has_users() else "  first visit creates the administrator"
    tell(f"Ready: {address()}{first}")


def has_users() -> bool:
    try:
        return accounts.is_set_up()
    finally:
        connection.close()  # the supervisor has no other use for one


def programs() -> dict[str, list[str]]:
    """The programs beside PostgreSQL, by name."""
    return {
        "web": [*MANAGE, "web"],
        "ingest": [sys.executable, "-m", "finops.ingest_process"],
        "worker": [
            *(sys.executable, "-m", "celery", "--quiet", "-A", "finops", "worker", "--beat"),
            *("--pool", "threads", "--concurrency", "8", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle"),
        ],
    }


def child(name: str, command: list[str]) -> Child:
    niceness = NICENESS.get(name, 0)
    return Child(
        name, lambda: spawn(name, command, environment=CHILD_ENVIRONMENT, niceness=niceness)
    )


def start_postgres(supervisor: Supervisor) -> None:
    data, sockets = settings.DATA_DIR / "postgres", settings.RUNTIME_DIR / "postgres"

    def launch() -> subprocess.Popen[bytes]:
        try:
            process = postgres.launch(data, sockets, say=say, output=subprocess.PIPE)
        except postgres.PostgresError as error:
            raise CannotStart(str(error)) from None
        assert process.stdout
        relay("postgres", process.stdout)
        return process

    server = Child("postgres", launch, signal.SIGINT, signal.SIGQUIT)
    supervisor.add(server)
    assert server.process
    postgres.wait_until_ready(
        server.process, sockets, say=say, cancelled=lambda: supervisor.stop_requests > 0
    )


def stop(supervisor: Supervisor) -> None:
    """End what takes events first and what keeps them last."""
    by_name = {child.name: child for child in supervisor.children}
    for names, seconds in ((["ingest"], 20.0), (["web", "worker"], 20.0), (["postgres"], 60.0)):
        supervisor.end([by_name[name] for name in names if name in by_name], seconds)
    supervisor.close()
    (settings.RUNTIME_DIR / "web.sock").unlink(missing_ok=True)
    for directory in (settings.RUNTIME_DIR / "postgres", settings.RUNTIME_DIR):
        with suppress(OSError):  # not there, or kept by somebody's file
            directory.rmdir()


@contextmanager
def data_directory_lock() -> Iterator[None]:
    """Hold the data directory for this process alone; the system lets go of it when we die."""
    path = settings.DATA_DIR / "lock"
    try:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    except OSError as error:
        raise CannotStart(
            f"{error.filename}: {error.strerror}. FARTHING_DATA_DIR chooses another place."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Farthing is already running (process {file.read().strip()}) with the data in "
                f"{settings.DATA_DIR}. Stop it, or set FARTHING_DATA_DIR and PORT to run another."
            ) from None
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def check_port() -> None:
    """Refuse to start on an address that another program has taken."""
    try:
        addresses = socket.getaddrinfo(
            settings.HOST, settings.PORT, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, at in addresses:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(at)
    except (OSError, OverflowError) as error:
        raise CannotStart(
            f"Port {settings.PORT} of {settings.HOST} is not to be had: {error}. "
            "PORT chooses another, as in: PORT=8001 make up"
        ) from None


def address() -> str:
    """Where a browser on this machine finds Farthing."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)
    return f"http://[{host}]:{settings.PORT}" if ":" in host else f"http://{host}:{settings.PORT}"


def missing() -> str | None:
    """What keeps Farthing from being ready, by its own account; None when nothing does."""
    connection = http.client.HTTPConnection(address().removeprefix("http://"), timeout=2.0)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return None if response.status == 200 else response.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer at {address()} ({error})"
    finally:
        connection.close()
