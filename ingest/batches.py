"""What requests bring, what becomes of it, and the row of ingest_batch that tells so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from ingest.corrections import Settlement
from ingest.facts import Fact, Scope

# What one batch tells of its clients and of fields that are not known.
_CLIENTS = 8
_UNKNOWN_NAMES = 20
OTHER_CLIENTS = "(others)"


@dataclass(slots=True)
class Submission:
    """What one request brings: its facts, and what was refused of it before."""

    scope: Scope
    format: str
    received_at: datetime
    facts: list[Fact]
    rejected: Mapping[str, int] = field(default_factory=dict)  # reason → events
    unknown_fields: int = 0
    size_bytes: int = 0
    client: str = ""  # its User-Agent, shortened
    unknown_names: Sequence[str] = ()  # the first few of them
    settlements: Sequence[Settlement] = ()

    @property
    def rows(self) -> int:
        """All that is to be written."""
        return len(self.facts) + len(self.settlements)

    @property
    def events(self) -> int:
        """All that the request held."""
        return len(self.facts) + len(self.settlements) + sum(self.rejected.values())


@dataclass(slots=True)
class Outcome:
    """What became of one submission's facts and settlements, once committed."""

    accepted: int  # events that are stored now
    duplicates: int
    settlements: int = 0  # that are kept until they are applied


@dataclass(slots=True)
class Batch:
    """One row of ingest_batch in the making."""

    id: int
    first: Submission
    accepted: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unknown_fields: int = 0
    unknown_names: dict[str, None] = field(default_factory=dict)
    # client → accepted, duplicates, rejected
    clients: dict[str, list[int]] = field(default_factory=dict)
    first_started_at: datetime | None = None
    last_started_at: datetime | None = None


def tally(
    submissions: Sequence[Submission], batch_of: Sequence[Batch], outcomes: Sequence[Outcome]
) -> None:
    for submission, batch, outcome in zip(submissions, batch_of, outcomes, strict=True):
        batch.accepted += outcome.accepted
        batch.duplicates += outcome.duplicates
        batch.rejected.update(submission.rejected)
        batch.unknown_fields += submission.unknown_fields
        for unknown in submission.unknown_names[: _UNKNOWN_NAMES - len(batch.unknown_names)]:
            batch.unknown_names[unknown] = None
        _tally_client(batch, submission, outcome)
        if outcome.accepted:
            times = [fact.started_at for fact in submission.facts]
            batch.first_started_at = min(times + _given(batch.first_started_at))
            batch.last_started_at = max(times + _given(batch.last_started_at))


def _tally_client(batch: Batch, submission: Submission, outcome: Outcome) -> None:
    client = submission.client
    if client not in batch.clients and len(batch.clients) >= _CLIENTS:
        client = OTHER_CLIENTS
    tally = batch.clients.setdefault(client, [0, 0, 0])
    tally[0] += outcome.accepted
    tally[1] += outcome.duplicates
    tally[2] += sum(submission.rejected.values())


def as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _given(moment: datetime | None) -> list[datetime]:
    return [] if moment is None else [moment]
