"""A Farthing of its own to measure: `manage.py up` in a temporary directory on a free port."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable


@dataclass
class System:
    url: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    directory: Path
    started_seconds: float

    def manage(self, *arguments: str) -> str:
        """The last line that a management command prints."""
        done = subprocess.run(
            [PYTHON, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.strip().rpartition("\n")[2]

    def connect(self) -> psycopg.Connection[Any]:
        sockets = Path(self.environment["FARTHING_RUNTIME_DIR"]) / "postgres"
        return psycopg.connect(
            host=str(sockets), dbname="farthing", user="farthing", autocommit=True
        )

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Every process of the installation by its part: ingest, web, worker, postgres, parent."""
        root = psutil.Process(self.process.pid)
        found: dict[str, list[psutil.Process]] = {}
        for process in [root, *root.children(recursive=True)]:
            found.setdefault(part_of(process), []).append(process)
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time so far; of processes that ended meanwhile what their parent has counted."""
        return {
            part: sum(cpu_of(process) for process in processes)
            for part, processes in self.processes().items()
        }

    def memory_bytes(self) -> dict[str, int]:
        """Resident memory, shared pages counted once (PSS) where the system can tell."""
        return {
            part: sum(memory_of(process) for process in processes)
            for part, processes in self.processes().items()
        }


def part_of(process: psutil.Process) -> str:
    try:
        line = " ".join(process.cmdline()) or process.name()
    except psutil.NoSuchProcess:
        return "gone"
    for part, sign in (
        ("ingest", "finops.ingest_process"),
        ("web", "manage.py web"),
        ("worker", "celery"),
        ("postgres", "postgres"),
    ):
        if sign in line:
            return part
    return "parent"


def cpu_of(process: psutil.Process) -> float:
    """User and system time, and that of its children that have ended."""
    try:
        return float(sum(process.cpu_times()))
    except psutil.NoSuchProcess:
        return 0.0


def memory_of(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0


def free_port() -> int:
    """A port below those that the system lends to connections, so that it is still free, however
    many tests run beside this one, when a server takes it seconds later."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(log: Path, kept: Path | None = None) -> Iterator[System]:
    """A new, empty installation, removed at the end; or the one in the directory `kept`."""
    with tempfile.TemporaryDirectory(prefix="farthing-bench-") as made:
        directory = kept or Path(made)
        port = free_port()
        environment = os.environ | {
            "PORT": str(port),
            "FARTHING_DATA_DIR": str(directory / "data"),
            "FARTHING_RUNTIME_DIR": str(Path(made) / "run"),
            "LOG_LEVEL": "WARNING",
        }
        for name in ("DATABASE_URL", "BROKER_URL"):
            environment.pop(name, None)
        begun = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [PYTHON, "manage.py", "up"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                wait_until_ready(process, log, 300)
                seconds = time.monotonic() - begun
                yield System(f"http://127.0.0.1:{port}", environment, process, directory, seconds)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(90)


def wait_until_ready(process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if b"\nReady:" in log.read_bytes():
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"The server did not get ready; see {log}:\n{log.read_text()[-2000:]}")


def pending_events(system: System) -> int:
    with system.connect() as connection:
        row = connection.execute(
            "SELECT coalesce(sum(accepted), 0) FROM ingest_batch WHERE folded_at IS NULL"
        ).fetchone()
    return int(row[0]) if row else 0


def wait_until_settled(system: System, seconds: float = 300) -> None:
    """Until the users of every day are totalled: charts read those then."""
    deadline = time.monotonic() + seconds
    with system.connect() as connection:
        while connection.execute("SELECT 1 FROM rollup_unsettled LIMIT 1").fetchone():
            if time.monotonic() > deadline:
                raise SystemExit(f"Days are still not settled after {seconds:.0f} s.")
            time.sleep(0.2)


def wait_until_rolled_up(system: System, seconds: float = 300) -> float:
    """Seconds until every committed event is in the rollups."""
    begun = time.monotonic()
    while pending_events(system):
        if time.monotonic() - begun > seconds:
            raise SystemExit(f"Events are still pending after {seconds:.0f} s.")
        time.sleep(0.1)
    return time.monotonic() - begun


def api(system: System, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=system.url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0
    )
