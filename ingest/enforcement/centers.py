"""Today's owners of usage, read from what finops keeps: rules, and the cost centers of teams."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import psycopg

from ingest.enforcement.owners import Owners, gathered
from ingest.enforcement.portions import in_portions
from ingest.enforcement.terms import COST_CENTER, Terms

_OWNED_ON = """
    SELECT (%s AT TIME ZONE coalesce((SELECT zone FROM rollup_state), 'UTC'))::date,
        (SELECT version FROM ownership_state)
"""
_TEAM_OWNERS = """
    SELECT team, cost_center FROM team_owner
    WHERE cost_center <> '' AND from_day <= %(day)s AND to_day > %(day)s
"""
_RULES = """
    SELECT position, conditions, cost_center FROM ownership_rule
    WHERE coalesce(effective_from <= %(day)s, true) AND coalesce(effective_to > %(day)s, true)
"""


class Owned(NamedTuple):
    """`on` is the day of the reporting zone, and how often rules had changed by then."""

    owners: Owners
    on: tuple[date, int | None] | None


NOBODY = Owned(Owners(), None)


def read_owners(
    connection: psycopg.Connection, before: Owned, plans: Sequence[Terms], now: datetime
) -> Owned:
    """Who pays today, where a budget asks for it. Rules, which may be very many, are read again
    when one has changed and when a day begins."""
    if not any(terms.asks_for(COST_CENTER) for terms in plans):
        return NOBODY
    [(day, version)] = connection.execute(_OWNED_ON, [now]).fetchall()
    teams: dict[str, str] = dict(connection.execute(_TEAM_OWNERS, {"day": day}).fetchall())
    if (day, version) == before.on:
        return Owned(Owners(teams, before.owners.rules), before.on)
    rules = gathered(in_portions(connection.execute(_RULES, {"day": day})))
    return Owned(Owners(teams, rules), (day, version))
