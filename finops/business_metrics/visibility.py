"""Who sees which business metrics."""

from __future__ import annotations

from finops import access
from finops.access import Ability, Reader
from finops.models import BusinessMetric
from finops.periods import InvalidQuery
from finops.query import parse_filters, unknown


def visible(reader: Reader) -> list[BusinessMetric]:
    """Money is for who sees the books. Who sees some teams sees what is counted by team, of them,
    and what is about usage of them alone: any other number would tell what others came to. Raises
    PermissionDenied, as access.teams_seen."""
    teams, sees_money = access.teams_seen(reader), access.standing(reader).may(Ability.SEE_BOOKS)
    return [
        each
        for each in BusinessMetric.objects.all()
        if (sees_money or each.kind != BusinessMetric.Kind.MONEY)
        and (teams is None or "team" in each.dimensions or is_about(each, teams))
    ]


def is_about(metric: BusinessMetric, teams: tuple[str, ...]) -> bool:
    filters = parse_filters(metric.filters)
    return any(
        each.dimension == "team" and not each.exclude and set(each.values) <= set(teams)
        for each in filters
    )


def find_visible(key: str, reader: Reader) -> BusinessMetric:
    """Raises InvalidQuery where there is none that the reader sees, and PermissionDenied."""
    held = {each.key: each for each in visible(reader)}
    if not key:
        raise InvalidQuery("metric", f"is missing; known are {', '.join(held) or 'none yet'}")
    if key not in held:
        raise InvalidQuery("metric", unknown("metric", key, tuple(held) or ("none yet",)))
    return held[key]
