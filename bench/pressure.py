"""Attacks the ingest process of a Farthing of its own and says how much memory it took.

    python bench/pressure.py [--seconds 5] [--only NAME…] [--database healthy stopped killed]

Peaks are the largest resident memory (VmHWM) within one attack, of the ingest process alone. Linux
only.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import system  # noqa: E402
from bench.attacks import ATTACKS, EVENTS, Attack, large_events  # noqa: E402
from bench.system import System  # noqa: E402

PIECE = 256 * 1024
LIMIT_MB = 300


def ingest_of(farthing: System) -> int:
    """The id of the ingest process, as soon as there is one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := farthing.processes().get("ingest"):
            return found[0].pid
        time.sleep(0.1)
    raise SystemExit("There is no ingest process.")


def megabytes(pid: int, name: str) -> float:
    """A line of /proc/…/status, such as VmRSS or VmHWM, in MB (of a million bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit(f"{name} is not to be had.")


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


class Assault:
    """One attack on all its connections, again and again until time is up."""

    def __init__(self, url: str, key: str, attack: Attack) -> None:
        at = urlsplit(url)
        self.host, self.port = at.hostname or "", at.port or 80
        self.attack = attack
        length = attack.announced or len(attack.body)
        encoding = f"Content-Encoding: {attack.encoding}\r\n" if attack.encoding else ""
        self.head = (
            f"POST {attack.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: {attack.content_type}\r\n{encoding}Content-Length: {length}\r\n\r\n"
        ).encode()
        self.answers: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        tasks = [
            asyncio.create_task(self.keep_sending(until)) for _ in range(self.attack.connections)
        ]
        await asyncio.wait(tasks)

    async def keep_sending(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left + 35):
                    status, pause = await self.send(until)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                status, pause = type(error).__name__, 0.2
            self.answers[status] += 1
            await asyncio.sleep(min(pause, max(until - time.monotonic(), 0)))

    async def send(self, until: float) -> tuple[str, float]:
        """The status, and how long to wait before the next."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            sending = asyncio.create_task(self.write(writer, until))
            line = await reader.readline()
            sending.cancel()
            if not line:
                return "closed", 0.2
            status = int(line.split()[1])
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if status in (429, 503) and b"retry-after: " not in head:
                return f"{status} without Retry-After", 0.5
            return str(status), 0.5 if status in (429, 503) else 0.05
        finally:
            writer.close()

    async def write(self, writer: asyncio.StreamWriter, until: float) -> None:
        with suppress(OSError):
            writer.write(self.head)
            pace = self.attack.bytes_per_second
            step = max(pace // 10, 1) if pace else PIECE
            for start in range(0, len(self.attack.body), step):
                writer.write(self.attack.body[start : start + step])
                await writer.drain()
                if pace and time.monotonic() < until:
                    await asyncio.sleep(0.1)


@contextmanager
def database(farthing: System, state: str) -> Iterator[None]:
    """PostgreSQL healthy, stopped (it accepts connections and says nothing), or killed."""
    processes = farthing.processes().get("postgres", [])
    if state == "healthy":
        yield
        return
    if state == "killed":
        with suppress(psutil.Error):
            processes[0].kill()
        yield
        return
    for process in processes:
        with suppress(psutil.Error):
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.Error):
                process.resume()


def settle(farthing: System, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{farthing.url}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.3)


def take_the_largest(farthing: System, key: str) -> tuple[int, float, float]:
    """Status, seconds and peak of a body as large as allowed, while all is calm."""
    body = large_events()
    pid = ingest_of(farthing)
    forget_peak(pid)
    begun = time.monotonic()
    for _ in range(20):
        answer = httpx.post(
            farthing.url + EVENTS,
            content=body,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout=60,
        )
        if answer.status_code != 503:
            break
        time.sleep(1)
    return answer.status_code, time.monotonic() - begun, megabytes(pid, "VmHWM")


def measure(
    farthing: System, key: str, names: list[str], states: list[str], seconds: float
) -> float:
    """The largest peak in MB. Prints a line for each attack."""
    largest = 0.0
    for name in names:
        attack = ATTACKS[name]()
        for state in states:
            pid = ingest_of(farthing)
            forget_peak(pid)
            before = megabytes(pid, "VmRSS")
            assault = Assault(farthing.url, key, attack)
            with database(farthing, state):
                asyncio.run(assault.run(seconds))
            alive = ingest_of(farthing) == pid
            peak = megabytes(pid, "VmHWM") if alive else float("nan")
            after = megabytes(pid, "VmRSS") if alive else float("nan")
            largest = max(largest, peak)
            print(
                f"{name:30} {state:8} {before:5.0f} → peak {peak:5.0f} → {after:5.0f} MB"
                f"{'  OVER' if peak > LIMIT_MB else ''}{'' if alive else '  DIED'}"
                f"  {dict(assault.answers)}",
                flush=True,
            )
            if state != "healthy":
                settle(farthing)
    return largest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", nargs="+", default=list(ATTACKS))
    parser.add_argument("--database", nargs="+", default=["healthy", "stopped", "killed"])
    given = parser.parse_args()
    with system.running(Path("/tmp") / "farthing-pressure.log") as farthing:
        key = farthing.manage("create_ingest_key", "pressure")
        pid = ingest_of(farthing)
        print(f"at rest {megabytes(pid, 'VmRSS'):.0f} MB", flush=True)
        largest = measure(farthing, key, given.only, given.database, given.seconds)
        settle(farthing)
        status, took, peak = take_the_largest(farthing, key)
        print(f"largest body while calm: {status} after {took:.1f} s, peak {peak:.0f} MB")
        largest = max(largest, peak)
    print(f"The largest peak was {largest:.0f} MB of {LIMIT_MB}.")
    return 0 if largest <= LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
