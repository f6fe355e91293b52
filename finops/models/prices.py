"""The price ledger: every unit price ever used, with its source, its author and its dates."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class UnitPriceField(models.DecimalField):
    """USD per single unit (token, request, GPU-second), exact; NULL where there is no price."""

    def __init__(self, **options: object) -> None:
        options.update(max_digits=38, decimal_places=20, null=True, blank=True)
        super().__init__(**options)  # type: ignore[arg-type]


class Price(models.Model):
    """One immutable line of the ledger: what one model cost, from when until when, for whom.

    A line is superseded, never changed, so that an event rated with it can always say why it cost
    what it did. Unit prices are per single unit and belong to disjoint token buckets.
    """

    class Kind(models.TextChoices):
        CATALOG = "catalog", "Public catalogue"
        CONTRACT = "contract", "Contract"
        SELF_HOSTED = "self_hosted", "Self-hosted"
        CACHE_HIT = "cache_hit", "Response-cache hit"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    # Catalogue lines name the catalogue's own provider and model id; contract and self-hosted
    # lines hold case-insensitive glob patterns over what clients send ("*" is everything).
    provider = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    fleet = models.CharField(max_length=200, blank=True)
    cache = models.CharField(max_length=16, blank=True)
    # Empty means every tier.
    service_tier = models.CharField(max_length=16, blank=True)
    # The line holds when a request's whole input exceeds this many tokens.
    context_over = models.IntegerField(default=0)
    # UTC time of day during which the line holds (off-peak prices); NULL means all day.
    daily_from = models.TimeField(null=True, blank=True)
    daily_to = models.TimeField(null=True, blank=True)
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_to = models.DateTimeField(null=True, blank=True)

    discount_percent = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)
    uncached_input_price = UnitPriceField()
    cache_read_input_price = UnitPriceField()
    cache_creation_5m_input_price = UnitPriceField()
    cache_creation_1h_input_price = UnitPriceField()
    input_audio_price = UnitPriceField()
    text_output_price = UnitPriceField()
    reasoning_output_price = UnitPriceField()
    output_audio_price = UnitPriceField()
    request_price = UnitPriceField()
    gpu_second_price = UnitPriceField()
    currency = models.CharField(max_length=3, default="USD")

    source = models.CharField(max_length=200)
    author = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    recorded_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "price"
        indexes = (
            models.Index(
                fields=["kind", "provider", "model"],
                name="price_current",
                condition=models.Q(superseded_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.provider}/{self.model} #{self.pk}"
