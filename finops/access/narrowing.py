"""The one place that narrows a query to what its reader may know."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from finops.access.roles import Ability, Reader, standing
from finops.query import CostQuery, Filter


def teams_seen(user: Reader) -> tuple[str, ...] | None:
    """The teams whose costs the user may see, None for all; raises PermissionDenied where there is
    none.

    Administrators and finance see the whole organisation, everybody else their own teams.
    """
    found = standing(user)
    if not found.may(Ability.SEE_COSTS):
        raise PermissionDenied("This account sees no costs. Ask an administrator for a role.")
    if found.teams is not None and not found.teams:
        raise PermissionDenied(
            "This account is in no team, so there is nothing it may see. Ask an administrator."
        )
    return None if found.teams is None else tuple(sorted(found.teams))


def narrow(query: CostQuery, user: Reader) -> CostQuery:
    """The part of the query that the user may see; raises PermissionDenied where that is none.

    The filter stands beside those of the query, so that nothing asked for can widen it.
    """
    teams = teams_seen(user)
    if teams is None:
        return query
    own = Filter("team", teams)
    return query.replace(filters=(*query.filters, own), reader_teams=own.values)
