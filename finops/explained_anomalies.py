"""What an anomaly asks to have explained: its hours set against those of a week before, or its cost
against what was expected of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from finops import access, anomalies, costs
from finops.anomalies.comparing import is_expected_in_money, periods, question, usual
from finops.compared_periods import AGAINST_PARAMETERS
from finops.models import Anomaly
from finops.periods import InvalidQuery
from finops.query import instant_text, written

PARAMETER = "anomaly"
EXPECTED = "expected"
# The quotient has to make the very sum again.
DIGITS, PLACES = 120, 50
# What an anomaly says itself.
OWN = ("period", "start", "end", *AGAINST_PARAMETERS)
LARGEST = 2**31 - 1

Params = dict[str, list[str]]


def params_of(
    given: Mapping[str, Sequence[str]], reader: access.Reader, zone: ZoneInfo
) -> Params | None:
    """The parameters with those that the anomaly stands for in its place; None where the reader
    sees no such anomaly. Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged."""
    kept = {name: list(values) for name, values in given.items() if name != PARAMETER}
    number = whole(given[PARAMETER])
    wants_expected = kept.get("against") == [EXPECTED]
    if wants_expected:
        del kept["against"]
    for name in OWN:
        if name in kept:
            raise InvalidQuery(name, "is what the anomaly says; leave one of them out")
    found = anomalies.visible(access.standing(reader)).filter(pk=number).first()
    if found is None:
        return None
    times = times_expected(found, zone) if wants_expected else None
    period, before = periods(found, zone) if times is None else usual(found, zone)
    if times is not None:
        kept["against_times"] = [f"{times:f}"]
    kept["start"], kept["end"] = ([instant_text(each, zone)] for each in (period.start, period.end))
    for name, instant in (("against_start", before.start), ("against_end", before.end)):
        kept[name] = [instant_text(instant, zone)]
    for dimension, value in found.filters.items():
        kept[dimension] = [written(value, exclude=False)]
    return kept


def times_expected(anomaly: Anomaly, zone: ZoneInfo) -> Decimal:
    """How many times the cost of the days before was expected. Raises InvalidQuery where there is
    no such number."""
    if not is_expected_in_money(anomaly):
        raise InvalidQuery("against", "no cost was expected of this anomaly; leave it out")
    _, before = usual(anomaly, zone)
    cost = costs.run(question(anomaly, before, zone)).totals["effective_cost"]
    if not cost:
        raise InvalidQuery("against", "nothing was used in the days before; leave it out")
    with localcontext(prec=DIGITS):
        return round(Decimal(anomaly.expected) / Decimal(cost), PLACES)


def whole(values: Sequence[str]) -> int:
    [text] = values if len(values) == 1 else [""]
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= LARGEST):
        raise InvalidQuery(PARAMETER, "must be the number of one anomaly")
    return int(text)
