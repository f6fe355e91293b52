"""Opens, updates and closes anomalies as findings say: one that is open for a series and metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from finops.anomalies import likeness
from finops.anomalies.findings import Finding, Judged
from finops.anomalies.scales import Scale
from finops.anomalies.severities import Thresholds, severity_of
from finops.models import Anomaly

# A day's shift that is seen by the hour too begins at midnight, whatever hour it was.
SLACK = {"minute": timedelta(minutes=10), "hour": timedelta(hours=2), "day": timedelta(days=1)}
DIGITS = Decimal(1).scaleb(-12)
EXACT_DIGITS = 120
RANKS = {"minute": 0, "hour": 1, "day": 2}


@dataclass(frozen=True, slots=True)
class Kept:
    """How many were opened, changed and closed."""

    opened: int = 0
    changed: int = 0
    closed: int = 0


def keep(judged: Judged, thresholds: Thresholds, now: datetime) -> Kept:
    """Within the caller's transaction, which holds Lock.ANOMALIES."""
    scale = judged.scale
    held = rows_of(judged, scale)
    opened = changed = closed = 0
    seen: set[int] = set()
    for finding in sorted(judged.findings, key=lambda each: each.started_at):
        rows = held[finding.key.name, finding.metric]
        row = match(finding, rows)
        if row is None:
            if not is_news(finding, scale, now) or stands_in_the_way(finding, rows):
                continue
            row = Anomaly(
                series=finding.key.name, filters=dict(finding.key.filters), team=finding.key.team,
                metric=finding.metric, seen_at=now, started_at=finding.started_at,
                ended_at=finding.ended_at,
            )  # fmt: skip
            rows.append(row)
        before = state_of(row)
        take(row, finding)
        is_alone = all(each.closed_at for each in rows if each is not row)
        if finish(row, before, thresholds, now, is_alone=is_alone):
            opened, changed = opened + (not before), changed + bool(before)
        seen.add(row.pk)
    for row in (each for rows in held.values() for each in rows if each.pk not in seen):
        before = state_of(row)
        if let_go(row, scale.name) and finish(row, before, thresholds, now, is_alone=True):
            closed += 1
    return Kept(opened, changed, closed)


def rows_of(judged: Judged, scale: Scale) -> Mapping[tuple[str, str], list[Anomaly]]:
    """What is held of the series that were judged, and may be the same as what was found."""
    found: dict[tuple[str, str], list[Anomaly]] = defaultdict(list)
    oldest = min((each.started_at for each in judged.findings), default=None)
    names = {key.name for key, _ in judged.slots}
    metrics = {(key.name, metric) for key, metric in judged.slots}
    rows = Anomaly.objects.filter(series__in=names, closed_at=None)
    if oldest:
        rows |= Anomaly.objects.filter(series__in=names, ended_at__gte=oldest - SLACK["day"])
    for each in rows.order_by("started_at", "pk"):
        if (each.series, each.metric) in metrics:
            found[each.series, each.metric].append(each)
    return found


def match(finding: Finding, rows: Iterable[Anomaly]) -> Anomaly | None:
    """What is of the same direction and time: the latest of several."""
    slack = SLACK[finding.scale]
    found = [
        each
        for each in rows
        if each.direction == finding.direction
        and finding.started_at <= each.ended_at + slack
        and each.started_at <= finding.ended_at + slack
    ]
    own = [each for each in found if overlaps(finding, each.spans.get(finding.scale))]
    others = [each for each in found if finding.scale not in each.spans]
    best = own or others
    return best[-1] if best else None


def overlaps(finding: Finding, span: Mapping[str, Any] | None) -> bool:
    if span is None:
        return False
    start, end = (datetime.fromisoformat(span[name]) for name in ("from", "to"))
    return finding.started_at < end and start < finding.ended_at


def is_news(finding: Finding, scale: Scale, now: datetime) -> bool:
    """What is long over is history where the record begins, and what nobody saw after it."""
    return finding.is_open or finding.ended_at >= now - max(scale.judged, scale.told)


def stands_in_the_way(finding: Finding, rows: Iterable[Anomaly]) -> bool:
    """Whether it is a part of one that is open, which another scale sees whole, or that goes the
    other way."""
    return any(each.closed_at is None and finding.ended_at > each.started_at for each in rows)


def take(row: Anomaly, finding: Finding) -> None:
    former = row.spans.get(finding.scale, {})
    start = min(former.get("from", "9"), finding.started_at.isoformat())
    row.spans = {
        **row.spans,
        finding.scale: {
            "from": start,
            "to": finding.ended_at.isoformat(),
            "open": finding.is_open,
            "kind": finding.kind,
            "reason": finding.reason,
            "surprise": round(finding.surprise, 3),
            "actual": written(finding.actual),
            "expected": written(finding.expected),
            "impact": None if finding.impact is None else written(finding.impact),
        },
    }
    row.direction = finding.direction
    if leading_scale(row) == finding.scale:
        row.picture = finding.picture


def written(amount: Decimal) -> str:
    with localcontext(prec=EXACT_DIGITS):
        return f"{amount.quantize(DIGITS):f}"


def let_go(row: Anomaly, scale: str) -> bool:
    """Nothing of it is seen at this scale any more; whether that changes anything."""
    span = row.spans.get(scale)
    if not span or not span["open"]:
        return False
    row.spans = {**row.spans, scale: {**span, "open": False}}
    return True


def finish(
    row: Anomaly,
    before: tuple[Any, ...],
    thresholds: Thresholds,
    now: datetime,
    *,
    is_alone: bool,
) -> bool:
    """Let the columns say what the spans say; whether anything was written. What is over stays so
    while another one of its series is open."""
    leading = leading_scale(row)
    span = row.spans[leading]
    row.scale, row.kind, row.reason = leading, span["kind"], span["reason"]
    row.surprise = max(each["surprise"] for each in row.spans.values())
    row.actual, row.expected = Decimal(span["actual"]), Decimal(span["expected"])
    row.impact = None if span["impact"] is None else Decimal(span["impact"])
    # By the finest scale it is known best when it began.
    finest = row.spans[min(row.spans, key=RANKS.__getitem__)]
    row.started_at = datetime.fromisoformat(finest["from"])
    row.ended_at = max(datetime.fromisoformat(each["to"]) for each in row.spans.values())
    row.ended_at = max(row.ended_at, row.started_at)
    is_open = any(each["open"] for each in row.spans.values()) and not row.verdict_ends
    row.closed_at = None if is_open and is_alone else row.closed_at or now
    row.like = likeness.false_alarm_like(row, now)
    row.severity = severity_of(row, thresholds) if row.like is None else Anomaly.Severity.INFO
    if before and before == state_of(row):
        return False
    row.save()
    return True


def leading_scale(row: Anomaly) -> str:
    """That which sees most of it; of equals the finest."""
    return str(max(row.spans, key=lambda name: (lasted(row.spans[name]), -RANKS[name])))


def lasted(span: Mapping[str, Any]) -> timedelta:
    return datetime.fromisoformat(span["to"]) - datetime.fromisoformat(span["from"])


def state_of(row: Anomaly) -> tuple[Any, ...]:
    """() of what is not written down yet."""
    if row.pk is None:
        return ()
    return (row.spans, row.closed_at, row.severity, row.like_id, row.started_at, row.ended_at)
