"""How full the door is: what every ingest process noted of itself, and what that means.

A process notes a row a minute (ingest/saturation.py). Shares are of its bounds, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from finops.models import IngestKey, IngestSaturation
from ingest import saturation

# The process writes every 5 seconds, after it has loaded its settings.
SILENT = timedelta(seconds=20)
RECENT = timedelta(minutes=5)
FULL, FILLING = 0.9, 0.6
SPENT = 0.99  # of a key's limit, which fills up again all the time
_SHOWN_KEYS = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """One minute of all processes: of each the fullest, and the sum of what they refused.

    `fullest` is None of a minute that no process noted.
    """

    minute: datetime
    fullest: float | None
    refused: int


@dataclass(frozen=True, slots=True)
class Door:
    """What is so now, and the counts of the last minutes.

    `noted_at` is None where no process has ever noted anything.
    """

    noted_at: datetime | None
    processes: int = 0
    queue: float = 0.0
    memory: float = 0.0
    busy: float = 0.0
    away: float = 0.0
    waiting_bodies: int = 0
    commit_p95: float = 0.0
    requests: int = 0
    limited: int = 0  # answered 429
    unavailable: int = 0  # answered 503
    of_all: bool = True  # the reader sees all teams, so the counts of all are told
    keys: list[tuple[IngestKey, float]] = field(default_factory=list)
    hour: list[Moment] = field(default_factory=list)

    @property
    def limits(self) -> bool:
        """Whether a limit of a key that the reader sees turned requests away."""
        return bool(self.limited) if self.of_all else any(share >= SPENT for _, share in self.keys)

    def is_silent(self, now: datetime) -> bool:
        return self.noted_at is None or now - self.noted_at > SILENT


def read(now: datetime, teams: frozenset[str] | None) -> Door:
    """Of all processes; keys only of these teams (None: of all)."""
    rows = list(
        IngestSaturation.objects.filter(minute__gt=now - saturation.KEPT).order_by("minute")
    )
    if not rows:
        latest = IngestSaturation.objects.order_by("-noted_at").first()
        return Door(latest.noted_at if latest else None)
    noted_at = max(row.noted_at for row in rows)
    # A row is written over within its minute; of each process that lives the last one counts.
    living = list(
        {
            row.process: row.values.get("latest") or row.values
            for row in rows
            if now - row.noted_at <= SILENT
        }.values()
    )
    last = [row.values for row in rows if row.minute > now - timedelta(minutes=2)]
    recent = [row.values for row in rows if row.minute > now - RECENT]
    return Door(
        noted_at=noted_at,
        processes=len(living),
        queue=_most(living, "queue"),
        memory=_most(living, "memory"),
        busy=_most(living, "busy"),
        away=_most(living, "away"),
        waiting_bodies=int(_most(living, "waiting_bodies")),
        commit_p95=_most(last, "commit_p95"),
        requests=sum(values["requests"] for values in recent),
        limited=sum(values["answers"].get("429", 0) for values in recent),
        unavailable=sum(values["answers"].get("503", 0) for values in recent),
        of_all=teams is None,
        keys=_keys(last, teams),
        hour=_hour(rows, now, teams is None),
    )


def _most(of: list[dict[str, Any]], name: str) -> float:
    return max((values[name] for values in of), default=0.0)


def _keys(of: list[dict[str, Any]], teams: frozenset[str] | None) -> list[tuple[IngestKey, float]]:
    used: dict[int, float] = {}
    for values in of:
        for key_id, share in values["keys"].items():
            used[int(key_id)] = max(used.get(int(key_id), 0.0), share)
    keys = IngestKey.objects.filter(pk__in=used, revoked_at=None)
    if teams is not None:
        keys = keys.filter(team__in=teams)
    return sorted(((key, used[key.pk]) for key in keys), key=lambda each: -each[1])[:_SHOWN_KEYS]


def _at_most_1(share: float | None) -> float | None:
    return None if share is None else min(share, 1.0)


def _hour(rows: list[IngestSaturation], now: datetime, of_all: bool) -> list[Moment]:
    """The last 60 minutes, oldest first; a minute that nothing noted has no share.

    What was refused is told only to those who see all teams.
    """
    this = now.replace(second=0, microsecond=0)
    by_minute: dict[datetime, list[dict[str, Any]]] = {}
    for row in rows:
        by_minute.setdefault(row.minute, []).append(row.values)
    moments = []
    for ago in range(59, -1, -1):
        of = by_minute.get(this - timedelta(minutes=ago), [])
        fullest = max((max(v["queue"], v["memory"], v["busy"], 0.0) for v in of), default=None)
        refused = sum(v["answers"].get("429", 0) + v["answers"].get("503", 0) for v in of)
        refused = refused if of_all else 0
        moments.append(Moment(this - timedelta(minutes=ago), _at_most_1(fullest), refused))
    return moments
