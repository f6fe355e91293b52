"""Values taken in: looked at first where somebody wants that, then all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from finops import locks
from finops.business_metrics import storing
from finops.business_metrics.files import Line, Read, read_csv, read_json
from finops.business_metrics.terms import terms_of
from finops.csv_lines import NotReadable
from finops.locks import Lock
from finops.models import BusinessMetric, BusinessMetricImport, BusinessMetricUpload
from finops.organisation.stored import Act, log
from finops.ownership.rules import storing as naming
from finops.query import is_text

MOST_BYTES = 64 * 2**20
MONTHS_TWICE = (
    "{month:%Y-%m} would have a value as a whole and days with values, which would count twice: "
    "take one of them back by sending unknown."
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many lines there were, how many said something new, and how many another number than
    before; the rest was known. `first` and `last` are the days they are of or begin on."""

    lines: int
    added: int
    replaced: int
    first: date
    last: date

    @property
    def known(self) -> int:
        return self.lines - self.added - self.replaced


def from_csv(metric: BusinessMetric, file: BinaryIO) -> Sequence[Line]:
    """Raises ValidationError of `file`, with a message for each line that is wrong."""
    return _read(lambda: read_csv(file, terms_of(metric), settings.CURRENCY, _user_names()))


def from_json(metric: BusinessMetric, given: object) -> Sequence[Line]:
    """Raises ValidationError of `values`, with a message for each member that is wrong."""
    return _read(
        lambda: read_json(given, terms_of(metric), settings.CURRENCY, _user_names()), "values"
    )


def _read(reader: Callable[[], Read], field: str = "file") -> Sequence[Line]:
    try:
        found = reader()
    except NotReadable as error:
        raise ValidationError({field: str(error)}) from error
    if found.problems:
        said = [str(each) for each in found.problems]
        if more := found.problem_count - len(found.problems):
            said.append(f"And {more:,} more.")
        raise ValidationError({field: said})
    return found.lines


def _user_names() -> Callable[[str], str]:
    stored = naming()
    return lambda name: stored({"user": name})["user"]


def take(
    metric: BusinessMetric, lines: Sequence[Line], source: str, act: Act, *, preview: bool = False
) -> Taken:
    """All or nothing; with `preview` nothing. Raises ValidationError."""
    if not is_text(source) or not source.strip():
        raise ValidationError({"name": "Write the name of the file, at most 200 characters."})
    with transaction.atomic():
        locks.hold(Lock.BUSINESS_METRICS)
        made = BusinessMetricImport.objects.create(
            metric=metric,
            source=source.strip()[:200],
            lines=len(lines),
            added=0,
            replaced=0,
            created_at=act.at,
            created_by=act.by.get_username(),
        )
        written = storing.write(metric, made.pk, lines)
        if metric.adds_up and (months := storing.months_twice(metric)):
            raise ValidationError({"file": [MONTHS_TWICE.format(month=month) for month in months]})
        if preview:
            transaction.set_rollback(True)
        elif not any(written):
            made.delete()
        else:
            made.added, made.replaced = written
            made.save(update_fields=["added", "replaced"])
            after = {"source": made.source, "lines": len(lines), **written._asdict()}
            log("business_metric.import", metric.name, act, after=after)
    days = [line.day for line in lines]
    return Taken(len(lines), *written, min(days), max(days))


def keep(metric: BusinessMetric, text: str, name: str, act: Act) -> BusinessMetricUpload:
    """Until its maker imports it or looks at another one."""
    given = {"metric": metric, "name": name[:200], "text": text, "made_at": act.at}
    upload, _ = BusinessMetricUpload.objects.update_or_create(made_by=act.by, defaults=given)
    return upload


def take_kept(metric: BusinessMetric, act: Act) -> Taken:
    """Raises ValidationError where the file does not hold any more, and
    BusinessMetricUpload.DoesNotExist."""
    with transaction.atomic():
        held = BusinessMetricUpload.objects.select_for_update()
        upload = held.get(made_by=act.by, metric=metric)
        lines = from_csv(metric, BytesIO(upload.text.encode()))
        taken = take(metric, lines, upload.name, act)
        upload.delete()
    return taken
