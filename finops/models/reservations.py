"""Enforcement: what budgets stand at for the ingest process, and what is reserved of them.

Ingest reads and writes these by SQL of its own (ingest/enforcement), as it may not import us.
"""

from __future__ import annotations

from django.db import models

from finops.models.budgets import Budget, ExactField


class EnforcementState(models.Model):
    """The one row that says how fresh the figures of enforcement are.

    `version` rises with each refresh that changed something; rows below carry that of their change.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)
    as_of = models.DateTimeField()  # everything committed before is in the figures
    refreshed_at = models.DateTimeField()

    class Meta:
        db_table = "enforcement_state"
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="enforcement_state_once"),
        )

    def __str__(self) -> str:
        return f"as of {self.as_of}"


class EnforcementPlan(models.Model):
    """The terms of a budget that is enforced, as ingest reads them: ingest/enforcement/terms.py."""

    budget = models.OneToOneField(Budget, on_delete=models.CASCADE, primary_key=True)
    terms = models.JSONField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "enforcement_plan"

    def __str__(self) -> str:
        return f"{self.budget_id}"


class EnforcementStanding(models.Model):
    """What is spent of a budget in a period, of one value where the budget is for each.

    No row is nothing spent. `amount` is that of the value, where values have their own.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="+")
    value = models.TextField(blank=True)
    period_start = models.DateTimeField()
    spent = ExactField()
    amount = ExactField(null=True)
    version = models.BigIntegerField()

    class Meta:
        db_table = "enforcement_standing"
        constraints = (
            models.UniqueConstraint(fields=["budget", "value"], name="enforcement_standing_once"),
        )
        indexes = (models.Index(fields=["version"], name="enforcement_standing_version"),)

    def __str__(self) -> str:
        return f"{self.budget_id} {self.value}: {self.spent}"


class Reservation(models.Model):
    """A call under way for which something is held, until its event is in the figures.

    `event_key` is that of the event, `alias_key` that of the provider's response; both are digests.
    """

    id = models.UUIDField(primary_key=True)
    key_id = models.IntegerField()
    source = models.CharField(max_length=200)  # the service of the key that asked
    event_key = models.UUIDField(null=True)
    alias_key = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    settled_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)  # when the response was first seen to be told of

    class Meta:
        db_table = "reservation"

    def __str__(self) -> str:
        return f"{self.id}"


class ReservationHold(models.Model):
    """What one reservation holds of one budget; it counts for nothing from `expires_at` on."""

    reservation = models.ForeignKey(
        Reservation, on_delete=models.CASCADE, related_name="holds", db_constraint=False
    )
    # Budgets may be gone before their reservations are.
    budget = models.ForeignKey(
        Budget, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    value = models.TextField(blank=True)
    period_start = models.DateTimeField()
    amount = ExactField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "reservation_hold"
        indexes = (models.Index(fields=["budget", "value"], name="reservation_hold_of_budget"),)

    def __str__(self) -> str:
        return f"{self.budget_id} {self.value}: {self.amount}"


class EnforcementTally(models.Model):
    """How many calls a budget, or one value of it, refused and slowed in a period, by all ingest
    processes: ingest/enforcement/tallies.py. The row of "" is the whole, or values in excess."""

    budget = models.ForeignKey(
        Budget, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    value = models.TextField(blank=True)
    period_start = models.DateTimeField()  # of a rolling budget a day of UTC
    period_end = models.DateTimeField(db_index=True)
    refused = models.BigIntegerField()
    slowed = models.BigIntegerField()
    refused_at = models.DateTimeField(null=True)
    slowed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "enforcement_tally"
        constraints = (
            models.UniqueConstraint(
                fields=["budget", "value", "period_start"], name="enforcement_tally_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.budget_id} {self.value}: {self.refused} refused, {self.slowed} slowed"
