"""What stands beside the price ledger: held changes of the catalogue, and the second source."""

from __future__ import annotations

from django.db import models

from finops.models.prices import UnitPriceField


class PriceHold(models.Model):
    """Prices that the catalogue lists and the ledger does not apply, until somebody decides.

    `fingerprint` names model, tier and prices: a decision holds whenever these are listed again.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "No longer listed"

    fingerprint = models.CharField(max_length=64, unique=True)
    provider = models.CharField(max_length=200)
    model = models.CharField(max_length=200)
    described = models.CharField(max_length=600)  # the line in words, with its tier and dates
    effective_from = models.DateTimeField(null=True)
    source = models.CharField(max_length=200)
    # [{rule, bucket, old, new, ratio, text}]; numbers are decimal strings, USD per single unit.
    findings = models.JSONField()
    has_predecessor = models.BooleanField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.WAITING)
    seen_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        db_table = "price_hold"
        ordering = ("-seen_at", "provider", "model", "id")

    def __str__(self) -> str:
        return f"{self.described} ({self.status})"


class ReferencePrice(models.Model):
    """What the second source says that one unit of a bucket costs. Compared, never applied."""

    # The catalogue's names; `name` is the source's own.
    provider = models.CharField(max_length=200)
    model = models.CharField(max_length=200)
    bucket = models.CharField(max_length=40)
    name = models.CharField(max_length=400)
    price = UnitPriceField(null=False, blank=False)
    source = models.CharField(max_length=200)
    since = models.DateTimeField()  # the first import that said this

    class Meta:
        db_table = "reference_price"
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "model", "bucket"], name="reference_price_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} {self.bucket} {self.price}"
