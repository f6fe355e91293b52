"""What is paid beside requests: seats, overhead, commitments, fleets, credits, taxes."""

from __future__ import annotations

from django.db import models

from finops.models.budgets import TypedField


class CostItem(models.Model):
    """One thing that is paid, from a day until before another one, and who is to bear it.

    Items are shared out in the order of their positions. A row is not changed on days whose books
    are closed: it ends, and another row of the same position `follows` it. Percentages and amounts
    are as people write them; a credit's is what it takes off. `filters` are as budgets keep them,
    `weights` are cost center → number, `sizes` those of a fleet: {"day", "count", "hour_price",
    "option"}, each in force until the next one of its option.
    """

    class Kind(models.TextChoices):
        FIXED = "fixed", "Fixed amount a month"
        OVERHEAD = "overhead", "Overhead in percent"
        COMMITMENT = "commitment", "Commitment"
        FLEET = "fleet", "GPU fleet"
        CREDIT = "credit", "Credit"
        TAX = "tax", "Tax"
        TRUE_UP = "true_up", "One-off amount"

    class Of(models.TextChoices):
        DIRECT_COST = "direct_cost", "Direct cost"
        SO_FAR = "so_far", "Direct cost and what earlier items gave"

    class Method(models.TextChoices):
        PROPORTIONAL = "proportional", "In proportion"
        EVEN = "even", "Evenly"
        FIXED = "fixed", "By fixed percentages"
        WEIGHTED = "weighted", "By weights"

    class Measure(models.TextChoices):
        DIRECT_COST = "direct_cost", "Direct cost"
        SO_FAR = "so_far", "Direct cost and what earlier items gave"
        REQUESTS = "requests", "Requests"
        TOKENS = "tokens", "Tokens"
        USED = "used", "What was used of the capacity"

    class Unit(models.TextChoices):
        TOKENS = "tokens", "Tokens"
        REQUESTS = "requests", "Requests"
        GPU_SECONDS = "gpu_seconds", "GPU-seconds"

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind)
    position = models.PositiveIntegerField()
    follows = models.OneToOneField("self", models.PROTECT, null=True, related_name="followed_by")
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)
    amount = TypedField(null=True)
    percent = TypedField(null=True)
    percent_of = models.CharField(max_length=16, choices=Of, default=Of.DIRECT_COST)
    term_start = models.DateField(null=True)
    term_end = models.DateField(null=True)
    hour_price = TypedField(null=True)
    capacity_unit = models.CharField(max_length=16, choices=Unit, blank=True)
    capacity_per_hour = TypedField(null=True)
    sizes = models.JSONField(default=list)
    filters = models.JSONField(default=dict)
    method = models.CharField(max_length=16, choices=Method, default=Method.PROPORTIONAL)
    measure = models.CharField(max_length=16, choices=Measure, default=Measure.DIRECT_COST)
    weights = models.JSONField(default=dict)
    targets = models.JSONField(default=list)
    fallback = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=3)
    gl_account = models.CharField(max_length=100, blank=True)
    reference = models.CharField(max_length=200, blank=True)  # of a true-up: where it is from
    note = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)

    class Meta:
        db_table = "cost_item"
        ordering = ("position", "effective_from", "id")

    def __str__(self) -> str:
        return self.name
