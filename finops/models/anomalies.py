"""Anomalies: usage that is not as it was expected, what people say of it, and what was planned."""

from __future__ import annotations

from django.db import models

from finops.models.budgets import ExactField


class Anomaly(models.Model):
    """One departure of one series from what was expected of it.

    `filters` are what the series keeps, dimension → value, and `series` the same as one word; both
    are empty for all usage. `spans` are the views of the scales that see it (anomalies.views); the
    columns are those of the finest that saw the whole. Lock.ANOMALIES sees to it that there are no
    two of the same. `actual` and `expected` are in the unit of the metric, `impact` in money: what
    the departure has cost so far, None where that is not known. `lead` is the anomaly that
    explains this one, `like` the false alarm that it is like. `picture` are the steps around it
    with what was expected of each (anomalies.pictures), `causes` what in it changed
    (anomalies.causes).
    """

    class Metric(models.TextChoices):
        COST = "effective_cost", "Cost"
        REQUESTS = "requests", "Requests"
        ERRORS = "errors", "Errors"
        TOKENS = "tokens_per_request", "Tokens per request"
        UNIT_PRICE = "unit_price", "Cost per 1M tokens"
        CACHE_SHARE = "cache_share", "Share of input read from cache"
        ERROR_SHARE = "error_share", "Share of errors"
        LATENCY = "latency_p95", "Latency, p95"

    class Scale(models.TextChoices):
        MINUTE = "minute", "by the minute"
        HOUR = "hour", "by the hour"
        DAY = "day", "by the day"

    class Kind(models.TextChoices):
        SPIKE = "spike", "Spike"
        SHIFT = "shift", "Shift"
        DRIFT = "drift", "Drift"
        DROP = "drop", "Drop"

    class Verdict(models.TextChoices):
        REAL = "real", "Real"
        FALSE = "false", "False alarm"
        PLANNED = "planned", "Planned"

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    series = models.CharField(max_length=2000)
    filters = models.JSONField(default=dict)
    team = models.CharField(
        max_length=200, blank=True
    )  # whose members may see it; '': who sees all
    metric = models.CharField(max_length=24, choices=Metric)
    scale = models.CharField(max_length=8, choices=Scale)
    kind = models.CharField(max_length=8, choices=Kind)
    direction = models.SmallIntegerField()
    severity = models.CharField(max_length=16, choices=Severity)
    reason = models.TextField()
    spans = models.JSONField(default=dict)
    picture = models.JSONField(default=dict)
    causes = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()  # the end of the last step that is part of it
    seen_at = models.DateTimeField()  # when it was opened
    closed_at = models.DateTimeField(null=True)
    actual = ExactField()
    expected = ExactField()
    impact = ExactField(null=True)
    surprise = models.FloatField()
    lead = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="also_seen_in"
    )
    like = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    told_severity = models.CharField(max_length=16, blank=True)  # '': nobody was told
    closing_told = models.BooleanField(default=False)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    verdict_reason = models.TextField(blank=True)
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "anomaly"
        ordering = ("-started_at", "-id")
        indexes = (
            models.Index(fields=["series", "metric", "ended_at"], name="anomaly_of_series"),
            models.Index(fields=["ended_at"], name="anomaly_ended_at"),
        )

    def __str__(self) -> str:
        return f"{self.get_metric_display()} of {self.series or 'everything'}"

    @property
    def verdict_ends(self) -> bool:
        """Whether what people said of it has ended it: it is nobody's concern any more."""
        return self.verdict in (self.Verdict.FALSE, self.Verdict.PLANNED)


class AnomalyTurn(models.Model):
    """How far one scale has been judged: what anomalies there may be without being seen.

    `notes` are why a part could not be judged, each with the number of series that it is true of.
    """

    scale = models.CharField(max_length=8, choices=Anomaly.Scale, primary_key=True)
    judged_to = models.DateTimeField()
    judged_at = models.DateTimeField()
    series = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=dict)

    class Meta:
        db_table = "anomaly_turn"

    def __str__(self) -> str:
        return f"{self.scale} to {self.judged_to:%Y-%m-%d %H:%M}"


class PlannedEvent(models.Model):
    """What people know beforehand: usage in [start, end) of what `filters` keep is no anomaly, and
    not what is expected later.

    `filters` are dimension → values; without any it is about everything. With a `factor` so many
    times the usual is expected, and what goes beyond is an anomaly. `anomaly` is the one that was
    called planned, which made it.
    """

    name = models.CharField(max_length=200)
    start = models.DateTimeField()
    end = models.DateTimeField()
    filters = models.JSONField(default=dict)
    factor = models.DecimalField(max_digits=10, decimal_places=3, null=True)
    anomaly = models.ForeignKey(Anomaly, on_delete=models.SET_NULL, null=True, related_name="plans")
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "planned_event"
        ordering = ("-start", "-id")
        indexes = (models.Index(fields=["end"], name="planned_event_end"),)

    def __str__(self) -> str:
        return self.name
