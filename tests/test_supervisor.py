"""The supervisor with programs of the test's own, through signals and the process table."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
SUPERVISOR = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
from finops.supervisor import Child, StopRequested, Supervisor, say, spawn
supervisor = Supervisor()
try:
    supervisor.add(Child("child", lambda: spawn("child", [sys.executable, "-c", sys.argv[1]])))
    supervisor.wait_for(lambda: None)
except StopRequested:
    say("Stopping.")
finally:
    supervisor.end(supervisor.children, float(sys.argv[2]))
    supervisor.close()
"""
# Says who it and its own child are, and waits.
FAMILY = """
import os, subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("family", os.getpid(), other.pid)
time.sleep(600)
"""
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{FAMILY}"


class Run:
    """A supervisor and what it has printed so far."""

    def __init__(self, log: Path, child: str, patience: float) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, child, str(patience)],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def families(self) -> list[tuple[int, int]]:
        """Process numbers of each child and grandchild so far."""
        found = re.findall(r"^child +\| family (\d+) (\d+)$", self.log.read_text(), re.M)
        return [(int(child), int(grandchild)) for child, grandchild in found]

    def wait_for_family(self, number: int) -> tuple[int, int]:
        eventually(lambda: len(self.families()) >= number)
        return self.families()[number - 1]


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.02)


def gone(*pids: int) -> bool:
    return not any(
        psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        for pid in pids
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs = []

    def start(child: str, patience: float = 10) -> Run:
        runs.append(Run(tmp_path / f"log {len(runs)}", child, patience))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()
        run.process.wait()
        for pids in run.families():
            eventually(lambda pids=pids: gone(*pids))


def test_a_killed_process_is_started_again_after_its_own_children_ended(
    start: Callable[..., Run],
) -> None:
    run = start(FAMILY)
    first = run.wait_for_family(1)
    os.kill(first[0], signal.SIGKILL)
    second = run.wait_for_family(2)
    assert gone(*first)
    assert not gone(*second)
    assert "child ended (SIGKILL); starting it again" in run.log.read_text()


def test_a_process_that_keeps_ending_is_started_less_and_less_often(
    start: Callable[..., Run],
) -> None:
    run = start("raise SystemExit(3)")
    eventually(lambda: run.log.read_text().count("exit code 3") >= 4)
    assert re.findall(r"again in ([\d.]+) s", run.log.read_text())[:4] == [
        *("0.2", "0.4", "0.8", "1.6")
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_ends_every_process(start: Callable[..., Run], number: signal.Signals) -> None:
    run = start(FAMILY)
    family = run.wait_for_family(1)
    run.process.send_signal(number)
    assert run.process.wait(20) == 0
    eventually(lambda: gone(*family))


def test_a_second_ctrl_c_does_not_wait_for_the_stubborn(start: Callable[..., Run]) -> None:
    run = start(STUBBORN, patience=600)
    family = run.wait_for_family(1)
    run.process.send_signal(signal.SIGINT)
    eventually(lambda: "Stopping." in run.log.read_text())
    assert not gone(*family)
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(20) == 0
    eventually(lambda: gone(*family))


def test_the_processes_of_a_killed_supervisor_end_too(start: Callable[..., Run]) -> None:
    run = start(FAMILY)
    family = run.wait_for_family(1)
    run.process.kill()
    eventually(lambda: gone(*family))


def test_the_undertaker_is_replaced_when_it_dies(start: Callable[..., Run]) -> None:
    run = start(FAMILY)
    first = run.wait_for_family(1)
    undertaker = next(
        process
        for process in psutil.Process(run.process.pid).children()
        if "undertaker" in " ".join(process.cmdline())
    )
    undertaker.kill()
    eventually(lambda: gone(undertaker.pid))
    os.kill(first[0], signal.SIGKILL)
    second = run.wait_for_family(2)
    run.process.kill()
    eventually(lambda: gone(*second))
