"""A question as an address asks it: of a metric that the reader sees, over usage that they see."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings

from finops import access
from finops.access import Reader
from finops.business_metrics.terms import terms_of
from finops.business_metrics.visibility import find_visible
from finops.models import BusinessMetric
from finops.organisation.calendar import fiscal_first_month
from finops.periods import single
from finops.unit_economics import Question, parse


def asked(
    params: Mapping[str, Sequence[str]], reader: Reader, now: datetime
) -> tuple[BusinessMetric, Question]:
    """Raises InvalidQuery, and PermissionDenied where there is nothing that the reader may see."""
    metric = find_visible(single(params, "metric"), reader)
    question = parse(
        params,
        terms_of(metric),
        now=now,
        zone=settings.REPORTING_ZONE,
        fiscal_month=fiscal_first_month(),
    )
    return metric, dataclasses.replace(question, query=access.narrow(question.query, reader))
