"""What a month's requests used, by day and price line: as it is now, or as it was closed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg.types.json import Jsonb

from finops.allocation import LineKey
from finops.costs.charges import read_priced_usage
from finops.focus.usage import Labels, PricedUsage
from finops.models import StatementUsage, StatementVersion
from finops.periods import add_months
from finops.pricing.formula import Quantities

AT_ONCE = 2_000
COPY = """
COPY statement_usage (
    statement_id, day, cost_center, team, feature, provider, model, service, environment, region,
    service_tier, fleet, tags, price_id, contract_price_id, fixing_id, uncached_input,
    cache_read_input, cache_creation_5m_input, cache_creation_1h_input, input_audio, text_output,
    reasoning_output, output_audio, gpu_seconds, requests, list_cost, effective_cost
) FROM STDIN
"""


def of_month(
    month: date, zone: ZoneInfo, teams: Collection[str] | None = None
) -> Iterator[PricedUsage]:
    """Raises costs.QueryTooSlow."""
    return read_priced_usage(month, add_months(month, 1), zone, teams)


def freeze(statement: StatementVersion, zone: ZoneInfo) -> None:
    """Write down what the month's requests used; of days whose single events are gone, nothing."""
    for _, used in groupby(of_month(statement.month, zone), attrgetter("day")):
        day = list(used)
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for each in day:
                copy.write_row(
                    (statement.pk, each.day, *each.key, *each.labels, Jsonb(each.tags),
                     each.price_id, each.contract_price_id, each.fixing_id,
                     *each.quantities, each.list_cost, each.effective_cost)
                )  # fmt: skip


def frozen(
    statement: StatementVersion, teams: Collection[str] | None = None
) -> Iterator[PricedUsage]:
    """As it was written, in the same order, a page at a time: see books.lines."""
    wanted = StatementUsage.objects.filter(statement_id=statement.pk).order_by("id")
    if teams is not None:
        wanted = wanted.filter(team__in=list(teams))
    last = 0
    while page := list(wanted.filter(id__gt=last)[:AT_ONCE]):
        yield from map(usage_of, page)
        last = page[-1].pk


def usage_of(row: StatementUsage) -> PricedUsage:
    return PricedUsage(
        row.day,
        LineKey(*(getattr(row, name) for name in LineKey._fields)),
        Labels(*(getattr(row, name) for name in Labels._fields)),
        row.tags,
        row.price_id,
        row.contract_price_id,
        row.fixing_id,
        Quantities(*(getattr(row, name) for name in Quantities._fields)),
        row.list_cost,
        row.effective_cost,
    )
