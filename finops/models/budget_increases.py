"""More money for a budget, for a time: asked for by whoever sees it, decided by who manages it."""

from __future__ import annotations

from django.db import models

from finops.models.budgets import Budget


class BudgetIncrease(models.Model):
    """So much more for one budget until a moment, or, of a budget for each value of a dimension,
    for one `value` of it ("" is every one). It holds while `state` is APPROVED and `until` is
    ahead; that it has ended is written down by the worker, and not needed for the figure."""

    class State(models.TextChoices):
        ASKED = "asked", "waiting"
        APPROVED = "approved", "approved"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn"
        ENDED = "ended", "ended early"
        EXPIRED = "expired", "expired"

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="increases")
    value = models.TextField(blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    until = models.DateTimeField()  # the first moment at which it holds no more
    reason = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.ASKED)
    asked_by = models.CharField(max_length=200)  # a user name
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)  # of who decided
    ended_at = models.DateTimeField(null=True)  # when an approved one expired or was taken back

    class Meta:
        db_table = "budget_increase"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="budget_increase_is_more"
            ),
        )
        indexes = (
            models.Index(
                fields=["budget", "until"],
                name="budget_increase_in_force",
                condition=models.Q(state="approved"),
            ),
        )

    def __str__(self) -> str:
        return f"+{self.amount} for {self.budget_id} until {self.until:%Y-%m-%d} ({self.state})"
