"""Events on disk while the server is away: one file a batch, each written whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import logging
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: two processes may send the same file, and its events count once
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("farthing")

_WHOLE, _DRAFT = ".ndjson.gz", ".draft"
_ABANDONED_SECONDS = 60.0


def default_directory(url: str, key: str) -> Path:
    """Of this user, server and key: events of another key are of another service."""
    state = os.environ.get("XDG_STATE_HOME") or _home() / ".local" / "state"
    return Path(state) / "farthing" / sha256(f"{url}|{key}".encode()).hexdigest()[:16]


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user of no name, as in containers, has no home to keep anything in
        return Path(os.devnull)


class Spool:
    """Batches in a directory that several processes may share, oldest first."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self._directory = directory
        self._limit = limit_bytes
        self._numbers = itertools.count()

    def files(self) -> list[Path]:
        """Batches to send, oldest first."""
        try:
            return sorted(self._directory.glob(f"*{_WHOLE}"))
        except OSError:
            return []

    def settle_drafts(self) -> None:
        """Finish or remove what a process was writing when it was killed. A draft that is whole is
        a batch; of one that is not no event was ever promised to be on disk."""
        try:
            drafts = sorted(self._directory.glob(f"*{_DRAFT}"))
        except OSError:
            return
        for draft in drafts:
            with contextlib.suppress(OSError):
                self._settle(draft)

    def _settle(self, draft: Path) -> None:
        with draft.open("rb") as file:
            is_young = time.time() - draft.stat().st_mtime < _ABANDONED_SECONDS
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # else its writer is still at it
            content = file.read()
            if is_young and (fcntl is None or not content):
                return
            try:
                is_whole = bool(gzip.decompress(content))
            except (EOFError, OSError, zlib.error):
                is_whole = False
        if is_whole:
            draft.rename(draft.with_name(draft.name.removesuffix(_DRAFT) + _WHOLE))
        else:
            log.warning("A batch of events was cut off by the end of its process: %s", draft)
            draft.unlink()

    def put(self, lines: Sequence[bytes]) -> bool:
        """Whether the batch is on disk now; it is not where the disk or the limit is full."""
        content = gzip.compress(b"\n".join(lines), 5, mtime=0)
        name = f"{time.time_ns():020}-{os.getpid()}-{next(self._numbers)}"
        draft = self._directory / (name + _DRAFT)
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._size() + len(content) > self._limit:
                return False
            with draft.open("xb") as file:
                if fcntl is not None:  # nobody else shall take it for one that was abandoned
                    fcntl.flock(file, fcntl.LOCK_EX)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                draft.rename(self._directory / (name + _WHOLE))
            except (
                FileNotFoundError
            ):  # another process has just finished it, or somebody removed it
                return (self._directory / (name + _WHOLE)).exists()
        except OSError as error:
            log.warning("Events cannot be kept in %s: %s", self._directory, error)
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            return False
        return True

    def _size(self) -> int:
        size = 0
        for file in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process has just sent it
                size += file.stat().st_size
        return size

    @contextlib.contextmanager
    def take(self, path: Path) -> Iterator[list[bytes] | None]:
        """The batch of a file, held against other processes; None where another one has it."""
        try:
            file = path.open("rb")
        except OSError:
            yield None
            return
        with file:
            try:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not path.exists():  # sent by another process while this one opened it
                    yield None
                    return
                lines = gzip.decompress(file.read()).split(b"\n")
            except BlockingIOError:
                yield None
                return
            except (OSError, EOFError, zlib.error) as error:
                log.error("Events kept in %s cannot be read and are left there: %s", path, error)
                with contextlib.suppress(OSError):
                    path.rename(path.with_suffix(".damaged"))
                yield None
                return
            try:
                yield lines
            finally:
                if fcntl is not None:  # closing would not do, where a fork has this file open too
                    fcntl.flock(file, fcntl.LOCK_UN)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
