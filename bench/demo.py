"""How long `make demo` takes and how much memory, from a fresh clone or from this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench.system import ROOT, free_port, memory_of


def measure(figures: dict[str, Any], line: Callable[..., None], *, fresh: bool) -> None:
    """A fresh clone makes its own environment first, from a warm package cache; the committed
    state is what is cloned."""
    with tempfile.TemporaryDirectory(prefix="farthing-bench-") as made:
        directory = Path(made)
        clone = directory / "farthing"
        if fresh:
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        command = ["make", "demo"] if fresh else [sys.executable, "manage.py", "up", "--demo"]
        seconds, peak = run(command, clone if fresh else ROOT, directory)
    figures["demo"] = {"fresh_clone": fresh, "ready_seconds": seconds, "memory_bytes": peak}
    where = "make demo in a fresh clone" if fresh else "up --demo"
    line(f"{where} until Ready:", f"{seconds:.0f} s", "≤ 150 s")
    line("  memory in all, at most", f"{peak / 2**20:,.0f} MiB", "≤ 1,536 MiB")


def run(command: list[str], cwd: Path, directory: Path) -> tuple[float, int]:
    """Seconds until Ready: and the largest sum of memory of all processes until then."""
    environment = os.environ | {
        "PORT": str(free_port()),
        "FARTHING_DATA_DIR": str(directory / "data"),
        "FARTHING_RUNTIME_DIR": str(directory / "run"),
    }
    for name in ("DATABASE_URL", "BROKER_URL", "VIRTUAL_ENV"):
        environment.pop(name, None)
    log = directory / "demo.log"
    begun = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            peak = wait(process, log)
            seconds = time.monotonic() - begun
        finally:
            # As Ctrl-C does: the signal goes to make and to what it started.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(90)
    return round(seconds, 1), peak


def wait(process: subprocess.Popen[bytes], log: Path) -> int:
    peak = 0
    while b"\nReady:" not in log.read_bytes():
        if process.poll() is not None:
            raise SystemExit(f"The demo ended early:\n{log.read_text()[-2000:]}")
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        peak = max(peak, sum(memory_of(each) for each in tree))
        time.sleep(0.5)
    return peak
