"""Refused events as people read them: what each reason means, how to mend it, and examples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from finops import formats, intake
from finops.intake import Refused
from finops.models import RejectedExample
from finops.periods import local_day
from ingest.rejections import MENDS, REASONS

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """One example of a refused event."""

    text: str
    caption: str


@dataclass(frozen=True, slots=True)
class Reason:
    name: str
    meaning: str
    mend: str
    events: str
    since: str
    last: str
    senders: list[str]
    examples: list[Shown]


def moment(at: datetime | None, now: datetime) -> str:
    if at is None:
        return formats.MISSING
    zone = settings.REPORTING_ZONE
    return formats.moment(at, zone, local_day(now, zone))


def reasons(
    refused: list[Refused],
    examples: dict[tuple[str, int], list[RejectedExample]],
    now: datetime,
) -> list[Reason]:
    """The most frequent first, each with what it means and how to mend it."""
    held: dict[str, list[Refused]] = {}
    for each in refused:
        held.setdefault(each.reason, []).append(each)
    ranked = sorted(held, key=lambda name: -sum(each.events for each in held[name]))
    return [reason(name, held[name], examples, now) for name in ranked]


def reason(
    name: str,
    of: list[Refused],
    examples: dict[tuple[str, int], list[RejectedExample]],
    now: datetime,
) -> Reason:
    kept = [row for each in of for row in examples.get((name, each.key_id), [])]
    kept.sort(key=lambda row: row.received_at, reverse=True)
    names = {each.key_id: f"{each.prefix} ({each.service})" for each in of}
    return Reason(
        name,
        REASONS.get(name, ""),
        MENDS.get(name, ""),
        formats.count_long(sum(each.events for each in of)),
        moment(min(each.first_at for each in of), now),
        moment(max(each.last_at for each in of), now),
        [f"{names[each.key_id]}: {formats.count_long(each.events)}" for each in of[:5]],
        [
            Shown(
                intake.as_lines(row.shape),
                f"id {row.id_prefix or 'not readable'}, by {names[row.key_id]}, "
                f"{row.client or 'a client without a name'}, {moment(row.received_at, now)}"
                + (f"; field {row.field}" if row.field else ""),
            )
            for row in kept[:EXAMPLES]
        ],
    )
