from __future__ import annotations

import getpass
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from rich.progress import Progress

from finops import event_files, ingest_client, ingest_keys, operations
from finops.event_files import Bookmark, FileBatch, FileError
from finops.ingest_client import BodyRefused, IngestClient, KeyRefused, Receipt, ServerAway
from finops.models import Operation
from finops.operations import Loading
from finops.progress import count_events, progress_bar
from finops.startup import address

SERVICE = "load-events"
SHOWN_REJECTIONS = 10
SHOWN_NAMES = 10
PAUSE_SECONDS = 0.5
State = Operation.State


class Cancelled(Exception):
    """Somebody wants the load to end."""


class Loaded:
    """What became of the events of all files; the first rejections with their lines."""

    def __init__(self) -> None:
        self.accepted = 0
        self.duplicates = 0
        self.reasons: Counter[str] = Counter()
        self.details: list[str] = []
        self.unknown_fields = 0
        self.unknown_names: dict[str, None] = {}

    def add(self, path: Path, batch: FileBatch, receipt: Receipt) -> None:
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        self.unknown_fields += receipt.unknown_fields
        self.unknown_names.update(dict.fromkeys(receipt.unknown_field_names))
        for row, detail in batch.unreadable:
            self.reject(path, row, "unreadable_json", detail)
        for each in receipt.rejected:
            self.reject(path, batch.rows[each.index], each.reason, each.detail)

    def reject(self, path: Path, row: int, reason: str, detail: str) -> None:
        self.reasons[reason] += 1
        if len(self.details) < SHOWN_REJECTIONS:
            self.details.append(f"{path}, line {row}: {reason}: {detail}")


class Command(BaseCommand):
    requires_system_checks = ()
    help = """Sends the events in files, JSON lines or Parquet, to a Farthing over HTTP.

    Stopped halfway, it goes on where it was when started again with the same file. What just
    happened is in the figures before what is loaded, so live traffic stays fresh beside it.
    Loading a file twice adds nothing, because an event's id counts once. Without --key it makes a
    key of its own for the service "load-events" in the database of this installation and revokes
    it at the end.
    Ends with an exit code other than 0 when events were rejected."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--key", help="ingest key; see create_ingest_key")
        parser.add_argument("--url", default=address(), help="of the server (%(default)s)")
        parser.add_argument(
            "--connections",
            type=int,
            default=2,
            help="requests under way at once (%(default)s); with more, live requests wait longer",
        )

    def handle(
        self, *, files: list[Path], key: str | None, url: str, connections: int, **options: Any
    ) -> None:
        refuse_wrong(files, key, connections)
        loaded = Loaded()
        url = url.rstrip("/")
        with nullcontext(key) if key else own_key() as token, progress_bar() as progress:
            client = IngestClient(url, token)
            try:
                client.check_reachable()
                for path in files:
                    with told(path, url) as loading:
                        load(client, path, connections, progress, loaded, loading)
            except (FileError, ServerAway, KeyRefused, BodyRefused, Cancelled) as error:
                raise CommandError(f"{error}{so_far(loaded)}") from None
        self.report(loaded)

    def report(self, loaded: Loaded) -> None:
        rejected = loaded.reasons.total()
        self.stdout.write(
            f"accepted {loaded.accepted:,}, duplicates {loaded.duplicates:,}, rejected {rejected:,}"
        )
        for reason, count in loaded.reasons.most_common():
            self.stdout.write(f"  {reason}: {count:,}")
        if loaded.unknown_fields:
            self.stderr.write(self.style.WARNING(unknown(loaded)))
        if rejected:
            more = "\n…" if rejected > len(loaded.details) else ""
            raise CommandError("\n".join(loaded.details) + more)


@contextmanager
def told(path: Path, url: str) -> Iterator[Loading]:
    """The load as the pages of this installation show it; of another server's they do not."""
    if url != address():
        yield Loading(None)
        return
    total = event_files.total(path)
    unit = "rows" if event_files.is_parquet(path) else "bytes"
    now, by = timezone.now(), getpass.getuser()
    loading = operations.begin_load(str(path.resolve()), unit, total, now=now, by=by)
    try:
        yield loading
    except (FileError, ServerAway, KeyRefused, BodyRefused) as error:
        loading.end(State.FAILED, str(error), timezone.now())
        raise
    except KeyboardInterrupt:
        loading.end(State.FAILED, "Its command was stopped.", timezone.now())
        raise
    loading.end(State.DONE, "", timezone.now())


def heed(loading: Loading, batch: FileBatch, seconds: float) -> None:
    """Say how far the load is; wait while it is paused. Raises Cancelled."""
    state = loading.note(batch.position, events=len(batch.rows), seconds=seconds)
    while state == State.PAUSED:
        time.sleep(PAUSE_SECONDS)
        state = loading.note(batch.position, events=0, seconds=0)
    if state == State.CANCELLED:
        raise Cancelled("Cancelled on the page Settings, Operations.")
    if state == State.WAITING:  # resumed
        loading.run()


@contextmanager
def own_key() -> Iterator[str]:
    """A key for this load alone."""
    by = "manage.py load_events"
    try:
        made = ingest_keys.make(ingest_keys.Terms(SERVICE), by=by, now=timezone.now())
    except DatabaseError as error:
        raise CommandError(f"Give --key, because the database is away: {error}") from None
    try:
        yield made.text
    finally:
        ingest_keys.revoke(made.key.prefix, by=by, now=timezone.now())


def refuse_wrong(files: list[Path], key: str | None, connections: int) -> None:
    """Before anything is sent: CommandError says which argument is wrong."""
    if connections < 1:
        raise CommandError("--connections: write 1 or more.")
    if key is not None and not (key.isascii() and key.isprintable()):
        raise CommandError("--key: no ingest key has such characters; it begins with fk_.")
    try:
        for path in files:
            event_files.total(path)
    except FileError as error:
        raise CommandError(str(error)) from None


def unknown(loaded: Loaded) -> str:
    """A misspelt field is lost without a rejection; this is where its sender learns of it."""
    names = list(loaded.unknown_names)
    shown = ", ".join(map(repr, names[:SHOWN_NAMES])) + (", …" if len(names) > SHOWN_NAMES else "")
    return (
        f"Warning: fields that Farthing does not know were ignored, {loaded.unknown_fields:,} in "
        f"all, such as {shown}. Is one misspelt? /api/docs/ of the server lists the fields."
    )


def load(
    client: IngestClient,
    path: Path,
    connections: int,
    progress: Progress,
    loaded: Loaded,
    loading: Loading,
) -> None:
    """Send one file, from its bookmark to its end."""
    total = event_files.total(path)
    kept = event_files.bookmark_path(settings.DATA_DIR / "loads", path, client.url)
    start = event_files.read_bookmark(kept)
    task = progress.add_task(path.name, total=total, completed=start.position, events=0, rate="")
    batches = event_files.read(path, start)
    begun = time.monotonic()
    for batch, receipt in ingest_client.send_all(
        batches, lambda batch: client.send(batch.body), connections
    ):
        loaded.add(path, batch, receipt)
        event_files.write_bookmark(kept, Bookmark(batch.position, batch.next_row))
        count_events(progress, task, len(batch.rows), completed=batch.position)
        heed(loading, batch, time.monotonic() - begun)
        begun = time.monotonic()
    progress.update(task, completed=total)
    kept.unlink(missing_ok=True)


def so_far(loaded: Loaded) -> str:
    if not (loaded.accepted or loaded.duplicates):
        return ""
    return (
        f"\nUntil then: accepted {loaded.accepted:,}, duplicates {loaded.duplicates:,}. "
        "The same command goes on from there."
    )
