"""What is known of the days to come of a budget: planned events and prices, read as the Forecast
page reads them, and kept until one of them changes or another hour begins.

Of a budget for each value nothing is read: of very many values that would be a question for each.
"""

from __future__ import annotations

from collections.abc import Mapping

from finops.budgets.figures import Memory
from finops.budgets.moments import Moment
from finops.budgets.questions import Asked
from finops.costs import QueryTooSlow
from finops.forecasts import Coming
from finops.prospects import planned, prices
from finops.query import CostQuery


def read(asked: Mapping[int, Asked], moment: Moment, memory: Memory) -> dict[int, Coming]:
    """By budget; one of which nothing is known is not there. What cannot be read in time is tried
    again with the next evaluation."""
    wanted = {
        number: question(each)
        for number, each in asked.items()
        if each.has_forecasts and not each.draft.for_each
    }
    if not wanted:
        return {}
    some = next(iter(wanted.values()))
    end = max(query.period.end for query in wanted.values())
    events = planned.known(moment.now, end)
    turning = prices.turning_days(some, moment.now, end)
    if not (events or turning):
        return {}
    hour = moment.now.replace(minute=0, second=0, microsecond=0)
    basis = (hour, [(each.pk, each.changed_at) for each in events], turning)
    if basis != memory.coming_of:
        memory.coming, memory.coming_of = {}, basis
    return {
        number: found
        for number, query in wanted.items()
        if (found := kept(query, moment, memory)) is not None
    }


def question(asked: Asked) -> CostQuery:
    """What the budget counts, in its period."""
    whole = asked.query(asked.span.period(asked.zone), "total")
    return whole.replace(metrics=(asked.draft.cost,))


def kept(query: CostQuery, moment: Moment, memory: Memory) -> Coming | None:
    if query not in memory.coming:
        now, end = moment.now, query.period.end
        try:
            changes = [*planned.changes(query, now, end), *prices.changes(query, now, end)]
        except QueryTooSlow:
            return None
        memory.coming[query] = Coming(tuple(changes), planned.excused(query, now))
    return memory.coming[query]
