"""What is kept beside budgets: periods that are over, and whether the pipeline stands still."""

from __future__ import annotations

from django.db import models

from finops.models.budgets import Budget, ExactField


class BudgetClosing(models.Model):
    """What one period of a budget, or of one value, came to when it was over.

    Usage that comes later is noted and no alarm; `noted` is what the last note said.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="closings")
    value = models.TextField(blank=True)
    period_start = models.DateField()
    period_end = models.DateField()
    amount = ExactField(null=True)
    actual = ExactField()
    unpriced_requests = models.BigIntegerField(default=0)
    as_of = models.DateTimeField(null=True)
    closed_at = models.DateTimeField()
    noted = ExactField(null=True)
    noted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "budget_closing"
        ordering = ("-period_start", "value")
        constraints = (
            models.UniqueConstraint(
                fields=["budget", "value", "period_start"], name="budget_closing_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.budget_id} {self.value} {self.period_start}: {self.actual}"


class PipelineWatch(models.Model):
    """The one row that says whether the pipeline stands; `episode` counts how often it did."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    episode = models.PositiveIntegerField(default=0)
    stale_since = models.DateTimeField(null=True)
    looked_at = models.DateTimeField()

    class Meta:
        db_table = "pipeline_watch"
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="pipeline_watch_once"),
        )

    def __str__(self) -> str:
        return f"stale since {self.stale_since}" if self.stale_since else "fresh"
