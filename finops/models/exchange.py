"""Exchange rates, as they were imported."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class ExchangeFixing(models.Model):
    """The rates of one day: units of each currency for one euro, as decimal strings by its code.

    A row is never changed. Another import that says more or otherwise of the day is another row,
    and the former is superseded: it stays, and events rated with it keep pointing at it.
    """

    day = models.DateField()
    rates = models.JSONField()
    source = models.CharField(max_length=200)
    imported_at = models.DateTimeField(db_default=Now())
    imported_by = models.CharField(max_length=200)
    superseded_at = models.DateTimeField(null=True)
    superseded_by = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "exchange_fixing"
        ordering = ("-day", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["day"],
                condition=models.Q(superseded_at__isnull=True),
                name="exchange_fixing_in_force",
            ),
        )

    def __str__(self) -> str:
        return f"{self.day}, {self.source}"
