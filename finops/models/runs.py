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
    # Asked for on a page: the worker does it, and goes on after `done_to` when it was stopped.
    is_queued = models.BooleanField(default=False)
    done_to = models.DateTimeField(null=True)
    error = models.TextField(blank=True)  # why it could not be done

    class Meta:
        db_table = "rating_run"


class RatingPreview(models.Model):
    """What rating a period again would change, worked out by the worker; nothing is written.

    With `terms`, as the ledger would be with this line more and without the one it replaces; else
    as the ledger is. `result` is finops.rating_jobs.Outcome as JSON.
    """

    start = models.DateTimeField()
    end = models.DateTimeField()
    only_unpriced = models.BooleanField(default=False)
    terms = models.JSONField(default=dict)
    replaces = models.BigIntegerField(null=True)
    requested_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    done_to = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict)

    class Meta:
        db_table = "rating_preview"


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
