"""Budgets: what may be spent on what, when somebody is told, and how each stands."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models


class ExactField(models.DecimalField):  # type: ignore[type-arg]
    """Money added up from events: every digit of it, which no fixed number of decimals holds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"max_digits": 200, "decimal_places": 100} | options))

    def db_type(self, connection: Any) -> str:
        return "numeric"


class TypedField(models.DecimalField):  # type: ignore[type-arg]
    """An amount, or a percentage, as a person writes it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"max_digits": 20, "decimal_places": 6} | options))


class Budget(models.Model):
    """What may be spent in each period on the usage that `filters` keep, or with `for_each` by each
    value of that dimension.

    `filters` are as the query API writes them: dimension → values, "!" before one that is excluded.
    `team` is the one team that they keep, whose members see the budget; "" is for those who see
    all. `version` counts changes; `amount_revision` those of the amount, increases included, which
    arm thresholds anew. A removed budget keeps its row, for what was told of it.
    """

    class Span(models.TextChoices):
        DAILY = "daily", "Daily"
        WEEKLY = "weekly", "Weekly"
        MONTHLY = "monthly", "Monthly"
        QUARTERLY = "quarterly", "Quarterly"
        YEARLY = "yearly", "Yearly"
        ROLLING = "rolling", "Rolling days"

    class AmountKind(models.TextChoices):
        FIXED = "fixed", "The same every period"
        PLAN = "plan", "A plan by month"
        LAST_PERIOD = "last_period", "The last period, more or less"

    class Cost(models.TextChoices):
        EFFECTIVE = "effective_cost", "Effective cost"
        LIST = "list_cost", "List cost"

    class Unpriced(models.TextChoices):
        IGNORE = "ignore", "Leave out, and say how many"
        ESTIMATE = "estimate", "Estimate at a rate"
        BREACH = "breach", "Count as a breach"

    class Enforcement(models.TextChoices):
        NONE = "none", "Only tell"
        THROTTLE = "throttle", "Throttle calls"
        BLOCK = "block", "Block calls"

    name = models.CharField(max_length=200)
    filters = models.JSONField(default=dict)
    for_each = models.CharField(max_length=205, blank=True)
    team = models.CharField(max_length=200, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="budgets"
    )
    period = models.CharField(max_length=16, choices=Span)
    rolling_days = models.PositiveSmallIntegerField(null=True)
    amount_kind = models.CharField(max_length=16, choices=AmountKind)
    # The fixed one, or what holds where the plan or the last period says nothing.
    amount = TypedField(null=True)
    change_percent = TypedField(null=True)  # of the last period's cost, added to it
    cost = models.CharField(max_length=16, choices=Cost, default=Cost.EFFECTIVE)
    unpriced = models.CharField(max_length=16, choices=Unpriced, default=Unpriced.IGNORE)
    unpriced_rate = TypedField(null=True)  # USD per million tokens
    # What gateways are told that ask before a call; without figures to go by `fail_closed` refuses.
    enforcement = models.CharField(
        max_length=16, choices=Enforcement, default=Enforcement.NONE, db_default=Enforcement.NONE
    )
    throttle_percent = TypedField(null=True)  # of the amount; from there on calls are spread
    fail_closed = models.BooleanField(default=False, db_default=False)
    note = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    amount_revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "budget"
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(removed_at__isnull=True),
                name="budget_name_once",
            ),
        )

    def __str__(self) -> str:
        return self.name


class BudgetPlan(models.Model):
    """What a planned budget has for one calendar month, named by its first day."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="plan")
    month = models.DateField()
    amount = TypedField()

    class Meta:
        db_table = "budget_plan"
        ordering = ("month",)
        constraints = (
            models.UniqueConstraint(fields=["budget", "month"], name="budget_plan_once"),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.amount}"


class Threshold(models.Model):
    """When somebody is told: at `value` percent of the amount, or at `value` of money.

    On a burn rate, percent are of what an even pace allows in `window_hours`, so that 300 is three
    times that pace, and money is spent within the window. One that is taken off a budget stays,
    retired, for its crossings, and is the same one when it comes back.
    """

    class Basis(models.TextChoices):
        ACTUAL = "actual", "Spent"
        FORECAST = "forecast", "Forecast"
        BURN_RATE = "burn_rate", "Burn rate"

    class Kind(models.TextChoices):
        PERCENT = "percent", "%"
        MONEY = "money", "money"

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="thresholds")
    basis = models.CharField(max_length=16, choices=Basis)
    kind = models.CharField(max_length=16, choices=Kind)
    value = TypedField()
    window_hours = models.PositiveSmallIntegerField(null=True)
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.WARNING)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "budget_threshold"
        ordering = ("basis", "window_hours", "kind", "value")
        constraints = (
            models.UniqueConstraint(
                fields=["budget", "basis", "kind", "value", "window_hours"],
                nulls_distinct=False,
                name="budget_threshold_once",
            ),
        )

    def __str__(self) -> str:
        within = f" within {self.window_hours} h" if self.window_hours else ""
        return f"{self.basis} {self.value.normalize():f} {self.kind}{within}"


class BudgetStatus(models.Model):
    """How one budget stands, or one value of its dimension; the row of "" is the whole budget.

    Figures include everything committed before `as_of`. Of a budget for each value, the whole has
    no amount of its own: `actual` is the sum, `values` how many values there are and `values_over`
    how many of them have reached their amounts. Rows of values are those that cost most.
    """

    class State(models.TextChoices):
        WITHIN = "within", "within budget"
        NEAR = "near", "threshold reached"
        OVER = "over", "over budget"
        NO_AMOUNT = "no_amount", "no amount"
        UNKNOWN = "unknown", "not known"

    class Method(models.TextChoices):
        NONE = "none", "none"
        COMPLETE = "complete", "period is over"
        PROPORTION = "proportion", "daily average"
        WEEKDAYS = "weekdays", "days of the week"
        MODEL = "model", "models"
        ENDED = "ended", "has ended"

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="statuses")
    value = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=State)
    period_start = models.DateField()
    period_end = models.DateField()  # the first day after it
    amount = ExactField(null=True)
    actual = ExactField()
    estimated = ExactField(default=0)  # the part of `actual` that stands for unpriced requests
    forecast = ExactField(null=True)
    forecast_low = ExactField(null=True)
    forecast_high = ExactField(null=True)
    forecast_method = models.CharField(max_length=16, choices=Method, default=Method.NONE)
    forecast_reason = models.TextField(blank=True)
    previous = ExactField(null=True)  # what the period before came to
    burn = models.JSONField(default=dict)  # hours of a window → what was spent in it, as text
    unpriced_requests = models.BigIntegerField(default=0)
    values = models.IntegerField(default=0)
    values_over = models.IntegerField(default=0)
    as_of = models.DateTimeField(null=True)
    pending_events = models.BigIntegerField(default=0)
    # The pipeline was behind: `actual` is at least so much, and nothing else was judged.
    is_stale = models.BooleanField(default=False)
    evaluated_at = models.DateTimeField()
    problem = models.TextField(blank=True)  # why it could not be evaluated since then
    failing_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "budget_status"
        ordering = ("budget_id", "value")
        constraints = (
            models.UniqueConstraint(fields=["budget", "value"], name="budget_status_once"),
        )

    def __str__(self) -> str:
        return f"{self.budget_id} {self.value}: {self.state}"


class Crossing(models.Model):
    """A threshold that was reached, once for each period and generation: the row that makes an
    alert fire once.

    `is_told` is false where a higher threshold was told at the same time or before. `rearmed_at`
    says since when it may be reached anew, as the next generation; `calm` counts the evaluations in
    a row that found less, since the last that did not.
    """

    class Basis(models.TextChoices):
        ACTUAL = "actual", "Spent"
        FORECAST = "forecast", "Forecast"
        BURN_RATE = "burn_rate", "Burn rate"
        UNPRICED = "unpriced", "Unpriced requests"

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="crossings")
    threshold = models.ForeignKey(Threshold, on_delete=models.CASCADE, null=True)
    basis = models.CharField(max_length=16, choices=Basis)
    value = models.TextField(blank=True)
    # Of a rolling budget, which has no periods, the day on which it was made.
    period_start = models.DateField()
    generation = models.PositiveIntegerField(default=0)
    line = ExactField(null=True)  # the money that was reached
    amount = ExactField(null=True)
    actual = ExactField()
    forecast = ExactField(null=True)
    revision = models.PositiveIntegerField(default=0)  # the budget's amount_revision
    as_of = models.DateTimeField(null=True)
    crossed_at = models.DateTimeField()
    crossed_on = models.DateField()  # in the reporting zone
    is_told = models.BooleanField()
    alert_key = models.CharField(max_length=500, blank=True)
    calm = models.PositiveSmallIntegerField(default=0)
    rearmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "budget_crossing"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["budget", "value", "period_start", "threshold", "generation"],
                nulls_distinct=False,
                name="budget_crossing_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.budget_id} {self.value} {self.basis} {self.line} ({self.period_start})"
