"""Long work on what is stored, done in short steps beside live traffic."""

from __future__ import annotations

from django.db import models


class Operation(models.Model):
    """One re-rating, rebuild, retention or load: what it is for, and how far it has come.

    `start` and `end` bound the usage that it works on; `terms` are what else was asked for. `done`
    of `total` units are done, up to `done_to`; both are written in the transaction that does the
    work, so whoever goes on begins where it ended.
    """

    class Kind(models.TextChoices):
        RERATE = "rerate", "Rate again"
        REBUILD = "rebuild", "Rebuild roll-ups"
        REFOLD = "refold", "Fold everything anew"
        RETENTION = "retention", "Drop old events"
        LOAD = "load", "Load files"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        PAUSED = "paused", "paused"
        DONE = "done", "done"
        FAILED = "failed", "stopped"
        CANCELLED = "cancelled", "cancelled"

    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    what = models.TextField()
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)
    terms = models.JSONField(default=dict)
    unit = models.CharField(max_length=16, default="days")
    total = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    done_to = models.DateTimeField(null=True)
    events = models.BigIntegerField(default=0)  # handled so far
    # What it has found, as finops.rating_changes writes it.
    result = models.JSONField(default=dict)
    requested_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    # Not counted in what is left: how long it has stood still.
    worked_seconds = models.FloatField(default=0)
    finished_at = models.DateTimeField(null=True)
    message = models.TextField(blank=True)

    class Meta:
        db_table = "operation"
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=["id"],
                name="operation_unfinished",
                condition=models.Q(finished_at__isnull=True),
            ),
        )

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        if self.state == self.State.DONE:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def per_second(self) -> float | None:
        """Units done in a second of work; None before the first."""
        return self.done / self.worked_seconds if self.done and self.worked_seconds else None

    @property
    def seconds_left(self) -> float | None:
        speed = self.per_second
        return max(self.total - self.done, 0) / speed if speed and not self.finished_at else None

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}: {self.what}"
