"""What the business counts: orders, tickets resolved, active users, revenue."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from finops.models.budgets import ExactField


class BusinessMetric(models.Model):
    """A number that cost is set against. Its values are of days or months, each of one value of
    every dimension in `dimensions`, which are dimensions of usage too.

    `adds_up`: values of several days, teams or customers make one by adding them. Active users do
    not: who was there on two days is one user. `absent_is_zero`: on a day or in a month that has
    any value, whoever has none had none. `filters` keep the usage that it is about, as budgets keep
    theirs. Money is in `currency`; of counts that is ''.
    """

    class Kind(models.TextChoices):
        COUNT = "count", "Count"
        MONEY = "money", "Money"

    key = models.SlugField(max_length=60, unique=True, db_index=False)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    currency = models.CharField(max_length=3, blank=True)
    adds_up = models.BooleanField()
    absent_is_zero = models.BooleanField(default=False)
    dimensions = ArrayField(models.CharField(max_length=204), default=list)
    filters = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "business_metric"
        ordering = ("name", "key")

    def __str__(self) -> str:
        return self.name


class BusinessMetricImport(models.Model):
    """One file or call that changed something: lines that were new, and that took another's
    place."""

    metric = models.ForeignKey(BusinessMetric, models.CASCADE, related_name="imports")
    source = models.CharField(max_length=200)
    lines = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    replaced = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "business_metric_import"
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.source


class BusinessMetricValue(models.Model):
    """What the metric came to on the day, or in the month that begins on it, of these values of its
    dimensions; None where it is taken back. In force until a later import says another number: then
    that one is `superseded_by`. Rows are never changed otherwise."""

    metric = models.ForeignKey(BusinessMetric, models.CASCADE, db_index=False, related_name="+")
    made_by = models.ForeignKey(
        BusinessMetricImport, models.CASCADE, db_index=False, db_constraint=False, related_name="+"
    )
    superseded_by = models.ForeignKey(
        BusinessMetricImport,
        models.CASCADE,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    is_month = models.BooleanField()
    day = models.DateField()
    keys = ArrayField(models.CharField(max_length=200), default=list)
    value = ExactField(null=True)

    class Meta:
        db_table = "business_metric_value"
        constraints = (
            models.UniqueConstraint(
                fields=["metric", "day", "is_month", "keys"],
                condition=models.Q(superseded_by=None),
                name="business_metric_value_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {' '.join(self.keys)}"


class BusinessMetricUpload(models.Model):
    """A file of values that somebody looks at before it is imported."""

    metric = models.ForeignKey(BusinessMetric, models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    text = models.TextField()
    made_by = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        db_table = "business_metric_upload"

    def __str__(self) -> str:
        return self.name
