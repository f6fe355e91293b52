"""Which anomalies somebody asks for, of those that they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Func, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from finops.access import Standing
from finops.alerts.log import whole_number
from finops.models import Anomaly, AnomalyTurn
from finops.periods import InvalidQuery
from finops.query import CostQuery, is_text

PAGE_SIZE = 50
MOST_CIRCLED = 20
STATES = ("open", "closed", "quiet")
NOTABLE = "notable"  # of warning or worse
SEVERITIES = (*Anomaly.Severity.values, NOTABLE)
DIMENSIONS = ("team", "feature", "model", "user")


@dataclass(frozen=True, slots=True)
class Search:
    """Which anomalies; "" means any. `quiet` are those that nobody is told of, as they are like a
    false alarm; the other states leave them out. Without `parts`, those that others explain are
    left out too."""

    state: str = ""
    severity: str = ""
    metric: str = ""
    verdict: str = ""
    team: str = ""
    feature: str = ""
    model: str = ""
    user: str = ""
    parts: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Search:
        """Raises InvalidQuery, which names the parameter."""
        given = {each.name: params.get(each.name, "") for each in fields(cls)}
        known: tuple[tuple[str, Sequence[str]], ...] = (
            ("state", STATES),
            ("severity", SEVERITIES),
            ("metric", Anomaly.Metric.values),
            ("verdict", (*Anomaly.Verdict.values, "none")),
            ("parts", ("yes",)),
        )
        for name, values in known:
            if given[name] and given[name] not in values:
                raise InvalidQuery(name, f"{given[name][:80]!r} is none of {', '.join(values)}")
        for name in DIMENSIONS:
            if not is_text(given[name]):
                raise InvalidQuery(name, "must be text")
        return cls(**given)

    def to_params(self) -> dict[str, str]:
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Page:
    """`next_cursor` is None on the last."""

    anomalies: list[Anomaly]
    next_cursor: str | None


def visible(standing: Standing) -> QuerySet[Anomaly]:
    """Of series of teams that are seen; what may be several teams' is for who sees all."""
    found = Anomaly.objects.all()
    if standing.teams is not None:
        found = found.filter(team__in=standing.teams - {""})
    return found


def chosen(search: Search, found: QuerySet[Anomaly]) -> QuerySet[Anomaly]:
    found = found.exclude(like=None) if search.state == "quiet" else found.filter(like=None)
    if search.state in ("open", "closed"):
        found = found.filter(closed_at__isnull=search.state == "open")
    if search.severity == NOTABLE:
        found = found.exclude(severity=Anomaly.Severity.INFO)
    elif search.severity:
        found = found.filter(severity=search.severity)
    if search.metric:
        found = found.filter(metric=search.metric)
    if search.verdict:
        found = found.filter(verdict="" if search.verdict == "none" else search.verdict)
    held = {name: value for name in DIMENSIONS if (value := getattr(search, name))}
    if held:
        found = found.filter(filters__contains=held)
    return found


def page(
    search: Search,
    standing: Standing,
    cursor: str = "",
    size: int = PAGE_SIZE,
    *,
    is_notable: bool = False,
) -> Page:
    """Open ones first, then by what they cost; where they have to be notable, of no little money or
    surprise. Raises InvalidQuery."""
    found = standing_alone(search, standing)
    if is_notable:
        found = found.exclude(severity=Anomaly.Severity.INFO)
    at = whole_number({"cursor": cursor}, "cursor") or 0
    size_of = Coalesce(Func(F("impact"), function="abs"), Decimal(0))
    ranked = found.order_by(
        F("closed_at").desc(nulls_first=True), size_of.desc(), "-started_at", "-pk"
    )
    ranked = ranked.prefetch_related(
        Prefetch("also_seen_in", visible(standing).defer("picture"))
    ).select_related("like")
    rows = list(ranked[at : at + size + 1])
    return Page(rows[:size], str(at + size) if len(rows) > size else None)


def count(search: Search, standing: Standing) -> int:
    return standing_alone(search, standing).count()


def standing_alone(search: Search, standing: Standing) -> QuerySet[Anomaly]:
    """What is searched for, and, unless parts are, what no other one explains."""
    seen = visible(standing)
    found = chosen(search, seen)
    # One whose lead somebody does not see stands for itself.
    return found if search.parts else found.filter(Q(lead=None) | ~Q(lead__in=seen))


def open_now(standing: Standing) -> list[Anomaly]:
    """What is open and leads, the most expensive first, for other pages."""
    seen = visible(standing)
    found = chosen(Search(state="open"), seen).exclude(severity=Anomaly.Severity.INFO)
    found = found.filter(Q(lead=None) | ~Q(lead__in=seen))
    return sorted(found, key=lambda each: -abs(each.impact or Decimal(0)))


def within(query: CostQuery) -> list[Anomaly]:
    """The dearest incidents of cost that may be of this usage in its period, in their order."""
    period = query.period
    found = Anomaly.objects.filter(
        metric=Anomaly.Metric.COST, lead=None, like=None,
        started_at__lt=period.end, ended_at__gt=period.start,
    )  # fmt: skip
    found = found.exclude(severity=Anomaly.Severity.INFO).exclude(
        verdict__in=(Anomaly.Verdict.FALSE, Anomaly.Verdict.PLANNED)
    )
    if query.reader_teams is not None:
        found = found.filter(team__in=set(query.reader_teams) - {""})
    held = [each for each in found.defer("picture", "spans") if may_be_of(each, query)]
    held.sort(key=lambda each: -abs(each.impact or Decimal(0)))
    return sorted(held[:MOST_CIRCLED], key=lambda each: (each.started_at, each.pk))


def may_be_of(anomaly: Anomaly, query: CostQuery) -> bool:
    return all(
        (anomaly.filters[each.dimension] in each.values) is not each.exclude
        for each in query.filters
        if each.dimension in anomaly.filters
    )


def watched() -> list[AnomalyTurn]:
    """How far each scale is judged, the finest first."""
    held = {each.scale: each for each in AnomalyTurn.objects.all()}
    return [held[name] for name in Anomaly.Scale.values if name in held]


def is_behind(turn: AnomalyTurn, now: datetime) -> bool:
    """Whether a step has been complete for so long that somebody should look why nothing judges."""
    late = {"minute": timedelta(minutes=5), "hour": timedelta(hours=2), "day": timedelta(days=2)}
    return now - turn.judged_to > late[turn.scale] + timedelta(minutes=5)
