"""`manage.py up`: every process of Farthing under one parent, from first start to clean stop.

Existing supervisors were tried first. honcho (2.0) ends everything when one process ends and
restarts nothing. circus (0.19) restarts, but leaves the children of a killed process running
beside the new one, leaves everything running when it is killed itself, and knows no order by
readiness. What is needed is short; `undertaker` sees to the case that this process is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TypeVar

from finops import undertaker

COLOURS = {"farthing": 1, "postgres": 34, "ingest": 32, "web": 36, "worker": 35}
LONGEST_PAUSE_SECONDS = 10.0
SETTLED_SECONDS = 30.0  # who ran this long and then ends is started again at once
TRIES = 5

Answer = TypeVar("Answer")
_printing = threading.Lock()


class CannotStart(Exception):
    """Farthing cannot start; the message says why and what to do."""


class StopRequested(Exception):
    """Ctrl-C or SIGTERM."""


@dataclass
class Child:
    """One process that is started again whenever it ends."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    stop_signal: int = signal.SIGTERM
    last_signal: int = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0  # by the monotonic clock, as `due`
    due: float = 0.0
    failures: int = 0


class Supervisor:
    """Starts children, tends them, and ends them, with everything they started."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.stop_requests = 0
        self._woken = threading.Event()
        self._undertaker = _start_undertaker()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks to stay
            signal.signal(signal.SIGHUP, self._request_stop)

    def _request_stop(self, number: int, frame: object) -> None:
        self.stop_requests += 1
        self._woken.set()

    def add(self, child: Child) -> None:
        """Start a child and keep it running."""
        self.children.append(child)
        self._start(child)

    def wait_for(self, answer: Callable[[], Answer | None], *, pause: float = 0.1) -> Answer:
        """Tend the children until `answer` returns something. Raises StopRequested."""
        while not self.stop_requests:
            for child in self.children:
                self._tend(child)
            if (result := answer()) is not None:
                return result
            self._woken.wait(pause)
        raise StopRequested

    def wait_until_ready(self, ready: Callable[[], str | None], seconds: float) -> None:
        """Wait until `ready` returns None instead of what is still missing.

        Raises CannotStart when a child keeps ending or `seconds` have passed.
        """
        deadline = time.monotonic() + seconds

        def answer() -> bool | None:
            for child in self.children:
                if child.failures >= TRIES:
                    raise CannotStart(f"{child.name} keeps ending; its reason is above.")
            missing = ready()
            if missing and time.monotonic() > deadline:
                raise CannotStart(f"Not ready after {seconds:.0f} s: {missing}")
            return None if missing else True

        self.wait_for(answer, pause=0.3)

    def run(self, name: str, command: Sequence[str], *, prefixed: bool = True) -> None:
        """Run a program to its end while the children go on. Raises CannotStart if it fails."""
        child = Child(name, lambda: spawn(name, command, prefixed=prefixed))
        self._start(child)
        assert child.process
        try:
            code = self.wait_for(child.process.poll)
        except StopRequested:
            self.end([child], seconds=5.0)
            raise
        self._bury(child)
        if code:
            raise CannotStart(f"`{name}` failed ({describe(code)}); its reason is above.")

    def end(self, children: Sequence[Child], seconds: float) -> None:
        """Ask children to end, and insist after `seconds` or on a second Ctrl-C."""
        living = [(child, child.process) for child in children if child.process]
        for child, process in living:
            undertaker.end(process.pid, child.stop_signal)
        self._wait(living, seconds, lambda: self.stop_requests > 1)
        for child, process in living:
            if process.poll() is None:
                say(f"{child.name} is slow to end: ending it now.")
                undertaker.end(process.pid, child.last_signal)
        self._wait(living, 5.0, lambda: False)
        for child, _ in living:
            self._bury(child)

    def close(self) -> None:
        """Let the undertaker go; every child has to have ended."""
        if self._undertaker.stdin:
            self._undertaker.stdin.close()
        self._undertaker.wait()

    def _wait(
        self,
        living: Sequence[tuple[Child, subprocess.Popen[bytes]]],
        seconds: float,
        enough: Callable[[], bool],
    ) -> None:
        deadline = time.monotonic() + seconds
        while any(process.poll() is None for _, process in living):
            if time.monotonic() > deadline or enough():
                return
            time.sleep(0.05)

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                self._try_again(child)
        elif (code := child.process.poll()) is not None:
            self._bury(child)
            child.failures = 0 if now - child.started > SETTLED_SECONDS else child.failures + 1
            self._postpone(child, f"{child.name} ended ({describe(code)})")

    def _try_again(self, child: Child) -> None:
        try:
            self._start(child)
        except CannotStart as error:
            child.failures += 1
            self._postpone(child, str(error))

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = child.launch()
        self._tell(f"+ {child.process.pid} {int(child.stop_signal)}")

    def _postpone(self, child: Child, why: str) -> None:
        pause = min(0.1 * 2**child.failures, LONGEST_PAUSE_SECONDS)
        child.due = time.monotonic() + pause
        say(f"{why}; starting it again in {pause:.1f} s.")

    def _bury(self, child: Child) -> None:
        """Kill what an ended process left behind in its group, and forget it."""
        if process := child.process:
            undertaker.end(process.pid, signal.SIGKILL)
            process.wait()
            child.process = None
            self._tell(f"- {process.pid}")

    def _tell(self, word: str) -> None:
        """Keep the undertaker informed; engage another should it have died."""
        try:
            _write(self._undertaker, [word])
        except BrokenPipeError:
            self._undertaker.wait()
            self._undertaker = _start_undertaker()
            living = [(child, child.process) for child in self.children if child.process]
            words = [f"+ {process.pid} {int(child.stop_signal)}" for child, process in living]
            _write(self._undertaker, [*words, word])


def _start_undertaker() -> subprocess.Popen[bytes]:
    program = [sys.executable, "-S", "-E", undertaker.__file__]
    return subprocess.Popen(program, bufsize=0, stdin=subprocess.PIPE, start_new_session=True)


def _write(process: subprocess.Popen[bytes], words: Sequence[str]) -> None:
    assert process.stdin
    process.stdin.write("".join(f"{word}\n" for word in words).encode())


def spawn(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] = {},
    prefixed: bool = True,
    niceness: int = 0,
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, its output shown with its name before it.

    `niceness` is added to this process's own: who is nicer leaves the processors to others.
    """
    output = subprocess.PIPE if prefixed else None
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if prefixed else None,
        process_group=0,
    )
    if niceness:
        with suppress(OSError):  # it has ended already
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, process.pid, own + niceness)
    if process.stdout:
        relay(name, process.stdout)
    return process


def relay(name: str, output: IO[bytes]) -> None:
    """Show the lines of `output` as they come."""

    def show() -> None:
        with output:
            for line in output:
                if text := line.decode(errors="replace").rstrip():
                    say(text, name)

    threading.Thread(target=show, name=f"output of {name}", daemon=True).start()


def say(text: str, name: str = "farthing") -> None:
    label = f"{name:<8} |"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        label = f"\x1b[{COLOURS.get(name, 33)}m{label}\x1b[0m"
    tell(f"{label} {text}")


def tell(text: str) -> None:
    with _printing:
        try:
            print(text, flush=True)
        except OSError:  # the terminal is gone, which is no reason to stop
            return


def describe(code: int) -> str:
    """Popen's return code in words; a negative one is the signal that ended the process."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
