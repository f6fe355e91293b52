"""Files of a month that go out by themselves, to mailboxes and S3-compatible buckets."""

from __future__ import annotations

from finops.scheduled_exports.running import proceed, raise_due

__all__ = ["proceed", "raise_due"]
