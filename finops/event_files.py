"""Files of events, JSON lines or Parquet, as batches to send; a bookmark says how far one got."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

# So few that live requests, which queue behind a batch at the door, are answered soon.
BATCH_EVENTS = 1_000
BATCH_BYTES = 8 * 1024 * 1024
LINE_BYTES = 1024 * 1024
PARQUET_MAGIC = b"PAR1"
# Columns that may hold JSON text instead of a struct or map.
NESTED = frozenset({"usage", "tags", "stages_ms"})

encode = msgspec.json.Encoder(decimal_format="number").encode
check_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class FileError(Exception):
    """The file cannot be read as events; the message says where and why."""


@dataclass(slots=True)
class FileBatch:
    """Consecutive events of one file as NDJSON. `rows` are their lines or rows, from one.

    `position` is where the next batch begins: bytes into a file of lines, rows into a Parquet file.
    """

    rows: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    position: int = 0
    next_row: int = 1

    @property
    def body(self) -> bytes:
        return b"\n".join(self.lines)

    @property
    def is_full(self) -> bool:
        return len(self.lines) >= BATCH_EVENTS or self.size >= BATCH_BYTES

    def add(self, row: int, line: bytes) -> None:
        self.rows.append(row)
        self.lines.append(line)
        self.size += len(line)


class Bookmark(msgspec.Struct, frozen=True):
    position: int = 0
    next_row: int = 1


def is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == PARQUET_MAGIC


def total(path: Path) -> int:
    """What `position` ends at: bytes of a file of lines, rows of a Parquet file."""
    try:
        if is_parquet(path):
            return int(pq.read_metadata(path).num_rows)
        return path.stat().st_size
    except (OSError, pa.ArrowInvalid) as error:
        raise FileError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def read(path: Path, start: Bookmark) -> Iterator[FileBatch]:
    """Batches from the bookmark on. Lines that are no JSON object are set aside, not sent."""
    try:
        yield from (parquet_batches if is_parquet(path) else line_batches)(path, start)
    except (OSError, pa.ArrowInvalid) as error:
        raise FileError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def line_batches(path: Path, start: Bookmark) -> Iterator[FileBatch]:
    with path.open("rb") as file:
        file.seek(start.position)
        row = start.next_row
        batch = FileBatch()
        while line := file.readline(LINE_BYTES + 1):
            if len(line) > LINE_BYTES:
                raise FileError(f"{path}, line {row}: longer than {LINE_BYTES:,} bytes.")
            take_line(batch, row, line.strip())
            row += 1
            batch.position, batch.next_row = file.tell(), row
            if batch.is_full:
                yield batch
                batch = FileBatch()
        if batch.rows or batch.unreadable:
            yield batch


def take_line(batch: FileBatch, row: int, line: bytes) -> None:
    if not line:
        return
    try:
        check_object(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        batch.unreadable.append((row, str(error)))
    else:
        batch.add(row, line)


def parquet_batches(path: Path, start: Bookmark) -> Iterator[FileBatch]:
    with pq.ParquetFile(path) as file:
        row = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row + rows <= start.position:
                row += rows
                continue
            for table in file.iter_batches(BATCH_EVENTS, row_groups=[group]):
                skipped = min(max(start.position - row, 0), table.num_rows)
                row += skipped
                if skipped < table.num_rows:
                    yield from table_batches(table.slice(skipped), row)
                row += table.num_rows - skipped


def table_batches(table: pa.RecordBatch, row: int) -> Iterator[FileBatch]:
    batch = FileBatch()
    for record in table.to_pylist():
        row += 1
        try:
            batch.add(row, encode(plain_event(record)))
        except (ValueError, TypeError, msgspec.DecodeError) as error:
            batch.unreadable.append((row, str(error)))
        batch.position, batch.next_row = row, row + 1
        if batch.is_full:
            yield batch
            batch = FileBatch()
    if batch.rows or batch.unreadable:
        yield batch


def plain_event(record: dict[str, Any]) -> dict[str, Any]:
    """A row as a client would write it: nothing for null, JSON text in nested columns decoded."""
    event = {}
    for name, value in record.items():
        if name in NESTED and isinstance(value, str):
            value = msgspec.json.decode(value) if value else None
        value = plain(value)
        if value is not None:
            event[name] = value
    return event


def plain(value: Any) -> Any:
    if isinstance(value, float):
        # Columns of whole numbers with gaps come as floats, their gaps as NaN.
        if value != value:
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, list) and all(isinstance(part, tuple) for part in value):
        return {key: plain(part) for key, part in value if part is not None}  # a map column
    return value


def bookmark_path(directory: Path, path: Path, url: str) -> Path:
    """Where the progress of loading this very file into that server is kept."""
    status = path.stat()
    name = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{url}"
    return directory / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"


def read_bookmark(path: Path) -> Bookmark:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Bookmark)
    except (OSError, msgspec.DecodeError):
        return Bookmark()


def write_bookmark(path: Path, bookmark: Bookmark) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(bookmark))
    draft.replace(path)
