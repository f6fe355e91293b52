"""Business metrics: what is counted, its values, and what cost they are set against."""

from __future__ import annotations

from finops.business_metrics.answers import Answered, answer
from finops.business_metrics.asking import asked
from finops.business_metrics.keeping import change, make, remove
from finops.business_metrics.terms import Draft, draft_of, fields_of, read, terms_of
from finops.business_metrics.visibility import find_visible, visible

__all__ = [
    "Answered",
    "Draft",
    "answer",
    "asked",
    "change",
    "draft_of",
    "fields_of",
    "find_visible",
    "make",
    "read",
    "remove",
    "terms_of",
    "visible",
]
