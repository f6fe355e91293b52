"""The certificate of an erasure: what was done, and a digest by which it proves itself."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from finops.models import Erasure

# What an erasure cannot reach, said on every certificate.
NOT_REACHED = (
    "Backups, the log files of programs, PostgreSQL's write-ahead log and row versions that VACUUM "
    "has yet to remove, and mails that were sent.",
    "The accounts of people who sign in, and what they wrote as authors.",
    "Statements of closed months, which are never changed: those of their rows that hold the name, "
    "as that of a feature may, are counted among what has it.",
    "The event key, a one-way digest of service and event id by which an event sent again counts "
    "once.",
)


def certificate(erasure: Erasure) -> dict[str, Any]:
    """What the digest is of. Where it is given out, a member sha256 stands beside these."""
    assert erasure.began_at
    assert erasure.finished_at
    return {
        "user": erasure.label,
        "asked_by": erasure.asked_by,
        "asked_at": erasure.asked_at.isoformat(),
        "began_at": erasure.began_at.isoformat(),
        "finished_at": erasure.finished_at.isoformat(),
        "other_records_too": erasure.is_everywhere,
        "days_of_events_searched": [step for step in erasure.steps if step[:1].isdigit()],
        "columns_searched": erasure.searched,
        "rows_changed": erasure.changed,
        "rows_with_the_name_as_a_word": erasure.remaining,
        "rows_with_the_name_within_longer_words": erasure.within_words,
        "sums_before": erasure.sums_before,
        "sums_after": erasure.sums_after,
        "notes": erasure.notes,
        "not_reached": list(NOT_REACHED),
    }


def digest(erasure: Erasure) -> str:
    """SHA-256 of the certificate as JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(
        certificate(erasure), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()
