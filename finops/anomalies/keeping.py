"""Opens, updates and closes anomalies as findings say: one for each departure of a series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.anomalies import likeness, views
from finops.anomalies.findings import Finding, Judged
from finops.anomalies.measures import SUMMED
from finops.anomalies.scales import Scale
from finops.anomalies.severities import Thresholds, severity_of
from finops.anomalies.views import RANKS, View
from finops.models import Anomaly

Slot = tuple[str, str]  # series and metric
# What differs by no more is no news of what is over.
SETTLED = Decimal("0.25")
# By then days have had their say of what is over: nothing of it changes any more.
FROZEN = timedelta(days=2)
LOOKED_BACK = max(views.SLACK.values())


@dataclass(frozen=True, slots=True)
class Kept:
    """How many were opened, changed and closed."""

    opened: int = 0
    changed: int = 0
    closed: int = 0


@dataclass(slots=True)
class Departure:
    """An anomaly with its views, by scale."""

    row: Anomaly
    views: dict[str, View]
    before: tuple[Any, ...] = ()  # as the database has it; nothing of what is new
    is_seen: bool = False  # in this turn

    @classmethod
    def of(cls, row: Anomaly) -> Departure:
        held = views.read(row.spans, row.direction, adds_up=row.metric in SUMMED)
        return cls(row, {each.scale: each for each in held}, state_of(row))

    def coarser(self, view: View) -> list[View]:
        return [each for each in self.views.values() if RANKS[each.scale] > RANKS[view.scale]]

    def finer(self, view: View) -> list[View]:
        return [each for each in self.views.values() if RANKS[each.scale] < RANKS[view.scale]]


def keep(judged: Judged, thresholds: Thresholds, now: datetime) -> Kept:
    """Within the caller's transaction, which holds Lock.ANOMALIES."""
    held = departures_of(judged)
    place(judged.findings, held, judged.scale, now)
    opened = changed = closed = 0
    for each in (one for found in held.values() for one in found):
        is_gone = not each.is_seen and not is_frozen(each.row, now)
        is_gone = is_gone and let_go(each, judged.scale.name)
        if (each.is_seen or is_gone) and finish(each, thresholds, now):
            opened += not each.before
            closed += is_gone
            changed += bool(each.before) and not is_gone
    return Kept(opened, changed, closed)


def departures_of(judged: Judged) -> dict[Slot, list[Departure]]:
    """What is held of the series that were judged, and may be the same as what was found."""
    found: dict[Slot, list[Departure]] = defaultdict(list)
    slots = {(key.name, str(metric)) for key, metric in judged.slots}
    names = {name for name, _ in slots}
    rows = Anomaly.objects.filter(series__in=names, closed_at=None)
    oldest = min((each.started_at for each in judged.findings), default=None)
    if oldest:
        since = oldest - LOOKED_BACK - judged.scale.step
        rows |= Anomaly.objects.filter(series__in=names, ended_at__gte=since)
    for row in rows.select_for_update().order_by("started_at", "pk"):
        if (row.series, row.metric) in slots:
            found[row.series, row.metric].append(Departure.of(row))
    return found


def place(
    findings: Sequence[Finding],
    held: dict[Slot, list[Departure]],
    scale: Scale,
    now: datetime,
) -> None:
    """Give each finding to the departure that it is a view of, or to a new one."""
    for finding in sorted(findings, key=lambda each: each.started_at):
        found, view = held.setdefault((finding.key.name, finding.metric), []), view_of(finding)
        one = match(view, found)
        if one is None:
            if is_explained(view, found) or not is_news(finding, scale, now):
                continue
            one = Departure(begun(finding, now), {})
            found.append(one)
        if not is_settled(one, view) and not is_past(one.row, view, now):
            take(one, view, finding)


def view_of(finding: Finding) -> View:
    part = views.Part(
        finding.started_at, finding.ended_at, finding.actual, finding.expected, finding.impact
    )
    return View(
        scale=finding.scale,
        parts=(part,),
        direction=finding.direction,
        is_open=finding.is_open,
        has_returned=finding.has_returned,
        kind=finding.kind,
        reason=finding.reason,
        surprise=finding.surprise,
        adds_up=finding.metric in SUMMED,
    )


def match(view: View, found: Sequence[Departure]) -> Departure | None:
    """That which it is a view of; of several what has seen it before, else the first."""
    alike = [each for each in found if each.row.direction == view.direction]
    own = [e for e in alike if view.scale in e.views and e.views[view.scale].holds_any_of(view)]
    if own:
        return own[-1]
    joined = [each for each in alike if is_same(view, each)]
    return joined[0] if joined else None


def is_settled(one: Departure, view: View) -> bool:
    """Whether it is over and known about so: what is said of it is not to change with each turn, as
    expectations of a window that moves on do."""
    own = one.views.get(view.scale)
    if own is None or own.is_open or view.is_open or one.row.closed_at is None:
        return False
    part = [each for each in own.parts if each.start < view.end and view.start < each.end]
    held = abs(views.exact_sum(each.actual - each.expected for each in part))
    return bool(part) and abs(view.excess - held) <= held * SETTLED


def is_frozen(row: Anomaly, now: datetime) -> bool:
    """Whether its figures are what they will be: the past that it was judged by moves out of what
    is looked at, and would make others of them."""
    return row.closed_at is not None and row.ended_at <= now - FROZEN


def is_past(row: Anomaly, view: View, now: datetime) -> bool:
    """Whether it is of what is frozen, and not of what goes on after that."""
    return is_frozen(row, now) and not view.is_open and view.end <= row.ended_at + view.step


def is_same(view: View, one: Departure) -> bool:
    """Whether it is of the same departure, which it was not a part of yet at its own scale."""
    own = one.views.get(view.scale)
    if own and own.is_near(view):
        return True
    above = [each for each in one.coarser(view) if each.overlaps(view)]
    if above:
        sizes = [views.share(view, each) for each in above]
        begins = all(view.start < each.start + each.step for each in above)
        is_alike = min(sizes) >= views.LEAST and max(sizes) <= views.MOST
        return is_alike and (bool(own) or begins)
    below = [each for each in one.finer(view) if each.overlaps(view)]
    if own or not below:
        return False
    return any(
        each.excess >= view.excess * views.HALF
        or (
            each.start < view.start + view.step
            and views.LEAST <= views.share(each, view) <= views.MOST
        )
        for each in below
    )


def is_explained(view: View, found: Sequence[Departure]) -> bool:
    """Whether it is no more than a part of what a coarser scale sees, or the end of that."""
    for one in found:
        if one.row.direction != view.direction:
            if any(views.is_return(view, each) for each in one.views.values()):
                return True
        elif any(
            each.overlaps(view)
            and (each.is_open or view.end <= each.end + each.step)
            and view.rate <= each.rate * views.MOST
            for each in one.coarser(view)
        ):
            return True
    return False


def is_news(finding: Finding, scale: Scale, now: datetime) -> bool:
    """What is long over is history where the record begins, and what nobody saw after it."""
    return finding.is_open or finding.ended_at >= now - max(scale.judged, scale.told)


def begun(finding: Finding, now: datetime) -> Anomaly:
    return Anomaly(
        series=finding.key.name,
        filters=dict(finding.key.filters),
        team=finding.key.team,
        metric=finding.metric,
        direction=finding.direction,
        seen_at=now,
    )


def take(one: Departure, view: View, finding: Finding) -> None:
    one.is_seen, own = True, one.views.get(view.scale)
    one.views[view.scale] = views.joined(own, view) if own else view
    if not one.row.picture or views.whole(one.views.values()).scale == view.scale:
        one.row.picture = finding.picture


def let_go(one: Departure, scale: str) -> bool:
    """Nothing of it is seen at this scale any more; whether that changes anything."""
    view = one.views.get(scale)
    if not view or not view.is_open:
        return False
    one.views[scale] = view.closed()
    return True


def finish(one: Departure, thresholds: Thresholds, now: datetime) -> bool:
    """Let the columns say what the views say; whether anything was written."""
    row = one.row
    settle(row, list(one.views.values()), now)
    row.like = likeness.false_alarm_like(row, now)
    row.severity = severity_of(row, thresholds) if row.like is None else Anomaly.Severity.INFO
    if one.before and one.before == state_of(row):
        return False
    row.save()
    return True


def settle(row: Anomaly, held: Sequence[View], now: datetime) -> None:
    of = views.whole(held)
    row.spans = {each.scale: views.kept(each) for each in held}
    row.scale, row.kind, row.reason = of.scale, of.kind, of.reason
    row.surprise = max(each.surprise for each in held)
    row.actual, row.expected, row.impact = of.actual, of.expected, of.impact
    row.started_at = views.began(held)
    is_open = views.goes_on(held) and not row.verdict_ends
    row.ended_at = max(each.end for each in held if each is of or (is_open and each.is_open))
    if is_open and row.closed_at:
        row.closing_told = False
    row.closed_at = None if is_open else row.closed_at or now


def state_of(row: Anomaly) -> tuple[Any, ...]:
    if row.pk is None:
        return ()
    return (
        *(row.spans, row.scale, row.started_at, row.ended_at, row.closed_at, row.severity),
        row.like_id,
    )
