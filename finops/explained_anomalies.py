"""What an anomaly asks to have explained: its hours set against those of a week before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from finops import access, anomalies
from finops.anomalies.comparing import periods
from finops.compared_periods import AGAINST_PARAMETERS
from finops.periods import InvalidQuery
from finops.query import instant_text, written

PARAMETER = "anomaly"
# What an anomaly says itself.
OWN = ("period", "start", "end", *AGAINST_PARAMETERS)
LARGEST = 2**31 - 1

Params = dict[str, list[str]]


def params_of(
    given: Mapping[str, Sequence[str]], reader: access.Reader, zone: ZoneInfo
) -> Params | None:
    """The parameters with those that the anomaly stands for in its place; None where the reader
    sees no such anomaly. Raises InvalidQuery."""
    kept = {name: list(values) for name, values in given.items() if name != PARAMETER}
    number = whole(given[PARAMETER])
    for name in OWN:
        if name in kept:
            raise InvalidQuery(name, "is what the anomaly says; leave one of them out")
    found = anomalies.visible(access.standing(reader)).filter(pk=number).first()
    if found is None:
        return None
    period, before = periods(found, zone)
    kept["start"], kept["end"] = ([instant_text(each, zone)] for each in (period.start, period.end))
    for name, instant in (("against_start", before.start), ("against_end", before.end)):
        kept[name] = [instant_text(instant, zone)]
    for dimension, value in found.filters.items():
        kept[dimension] = [written(value, exclude=False)]
    return kept


def whole(values: Sequence[str]) -> int:
    [text] = values if len(values) == 1 else [""]
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= LARGEST):
        raise InvalidQuery(PARAMETER, "must be the number of one anomaly")
    return int(text)
