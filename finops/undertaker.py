"""Ends the processes of a supervisor that died without a word (kill -9, out of memory).

The supervisor runs this file as a program of its own, and tells it on standard input which
processes there are: `+ PID SIGNAL` when one starts, `- PID` when one has ended. The end of the
input means that the supervisor is gone. PR_SET_PDEATHSIG would do half of that, on Linux only:
it does not reach a process's own children.
"""

from __future__ import annotations

import os
import signal
import sys
import time

PATIENCE_SECONDS = 20.0


def end(pid: int, number: int) -> bool:
    """Signal the process group that `pid` leads; False when nobody is left in it."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of which only zombies are left
        return False
    return True


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    living: dict[int, int] = {}
    for line in sys.stdin:
        word, pid, *rest = line.split()
        if word == "+":
            living[int(pid)] = int(rest[0])
        else:
            living.pop(int(pid), None)
    remaining = [pid for pid, number in living.items() if end(pid, number)]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while remaining and time.monotonic() < deadline:
        time.sleep(0.1)
        remaining = [pid for pid in remaining if end(pid, 0)]
    for pid in remaining:
        end(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
