"""Records of what background work did to the books: re-rating runs and rollup checks."""

from __future__ import annotations

from django.db import models


class RatingRun(models.Model):
    """One explicit re-rating: which events, what they cost before and after, who asked."""

    start = models.DateTimeField()
    end = models.DateTimeField()
    requested_by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    # finops.ledger.version() of the prices that events were rated with.
    ledger_version = models.BigIntegerField(default=0)
    only_unpriced = models.BooleanField(default=False)
    # Of an automatic run: the newest batch whose unpriced events have been looked at.
    to_batch = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    events_examined = models.BigIntegerField(default=0)
    events_changed = models.BigIntegerField(default=0)
    cost_before = models.DecimalField(max_digits=58, decimal_places=30, default=0)
    cost_after = models.DecimalField(max_digits=58, decimal_places=30, default=0)
    unpriced_before = models.BigIntegerField(default=0)
    unpriced_after = models.BigIntegerField(default=0)

    class Meta:
        db_table = "rating_run"


class RollupCheck(models.Model):
    """One nightly comparison of a day's rollups with its events; a difference is an alarm."""

    day = models.DateField()
    checked_at = models.DateTimeField(auto_now_add=True)
    event_requests = models.BigIntegerField()
    rollup_requests = models.BigIntegerField()
    event_cost = models.DecimalField(max_digits=48, decimal_places=20)
    rollup_cost = models.DecimalField(max_digits=48, decimal_places=20)
    matches = models.BooleanField()

    class Meta:
        db_table = "rollup_check"
        indexes = (models.Index(fields=["day", "-checked_at", "-id"], name="rollup_check_latest"),)
