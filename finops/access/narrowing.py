"""The one place that narrows a query to what its reader may know."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from finops.access.roles import Ability, Reader, standing
from finops.query import CostQuery, Filter


def narrow(query: CostQuery, user: Reader) -> CostQuery:
    """The part of the query that the user may see; raises PermissionDenied where that is none.

    Administrators and finance see the whole organisation, everybody else their own teams. The
    filter stands beside those of the query, so that nothing asked for can widen it.
    """
    found = standing(user)
    if not found.may(Ability.SEE_COSTS):
        raise PermissionDenied("This account sees no costs. Ask an administrator for a role.")
    if found.teams is None:
        return query
    if not found.teams:
        raise PermissionDenied(
            "This account is in no team, so there is nothing it may see. Ask an administrator."
        )
    own = Filter("team", tuple(sorted(found.teams)))
    return query.replace(filters=(*query.filters, own), reader_teams=own.values)
