"""The price ledger: every unit price ever used, with its source, its author and its dates."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from finops.exchange import is_currency

# '' is every tier.
SERVICE_TIERS = ("", "standard", "batch", "flex", "priority", "fast")
CACHE_LEVELS = ("memory", "redis", "semantic", "database")


class UnitPriceField(models.DecimalField):  # type: ignore[type-arg]
    """Per single unit (token, request, GPU-second), exact; NULL where there is no price.

    Thirty decimals hold what the public catalogue lists per million tokens, its stray digits of
    binary floats included, so that our costs equal its own to the last of them.
    """

    def __init__(self, **options: object) -> None:
        defaults = {"max_digits": 40, "decimal_places": 30, "null": True, "blank": True}
        super().__init__(**defaults | options)  # type: ignore[arg-type]


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
    superseded_by = models.CharField(max_length=200, blank=True)  # who ended it

    class Meta:
        db_table = "price"
        indexes = (
            models.Index(
                fields=["kind", "provider", "model"],
                name="price_current",
                condition=models.Q(superseded_at__isnull=True),
            ),
        )

    def clean(self) -> None:
        """Refuse, field by field, a line that could never hold or never price a request."""
        errors = {**self._problems_of_range(), **self._problems_of_amounts()}
        errors.update(self._problems_of_kind())
        if errors:
            raise ValidationError(errors)

    @property
    def unit_prices(self) -> dict[str, Decimal]:
        """Column → price, of those that are set."""
        columns = (field.name for field in self._meta.fields if isinstance(field, UnitPriceField))
        return {name: price for name in columns if (price := getattr(self, name)) is not None}

    def _problems_of_range(self) -> dict[str, str]:
        problems = {}
        if self.effective_from and self.effective_to and self.effective_from >= self.effective_to:
            problems["effective_to"] = "Ends before it starts: write a later effective_to."
        if (self.daily_from is None) != (self.daily_to is None):
            problems["daily_to"] = "A daily window needs both daily_from and daily_to."
        elif self.daily_from is not None and self.daily_from == self.daily_to:
            problems["daily_to"] = "The daily window is empty; leave both out for the whole day."
        if self.context_over < 0:
            problems["context_over"] = "Write 0 or more tokens."
        if self.service_tier not in SERVICE_TIERS:
            problems["service_tier"] = f"Write one of {', '.join(filter(None, SERVICE_TIERS))}."
        if not is_currency(self.currency):
            problems["currency"] = "Write the code of a currency, such as USD or EUR."
        return problems

    def _problems_of_amounts(self) -> dict[str, str]:
        problems = {
            name: "A price is not negative."
            for name, price in self.unit_prices.items()
            if price < 0
        }
        discount = self.discount_percent
        if discount is not None and not 0 < discount <= 100:
            problems["discount_percent"] = "Write more than 0 and at most 100 percent."
        if discount is not None and self.kind != self.Kind.CONTRACT:
            problems["discount_percent"] = "Only a contract gives a discount."
        return problems

    def _problems_of_kind(self) -> dict[str, str]:
        match self.kind:
            case self.Kind.CONTRACT:
                return self._problems_of_contract()
            case self.Kind.SELF_HOSTED:
                return self._problems_of_self_hosted()
            case self.Kind.CACHE_HIT:
                return self._problems_of_cache_hit()
            case _:
                return {"kind": "Catalogue lines come from the catalogue; write a contract line."}

    def _problems_of_contract(self) -> dict[str, str]:
        problems = {}
        if not (self.provider or self.model):
            problems["provider"] = "Say which provider or model it is for; * is every one."
        if self.discount_percent is None and not self.unit_prices:
            problems["discount_percent"] = "Write a discount, or at least one unit price."
        if self.cache:
            problems["cache"] = "Only response-cache hits name a cache."
        return problems

    def _problems_of_self_hosted(self) -> dict[str, str]:
        problems = {}
        if {self.fleet, self.provider, self.model} <= {"", "*"}:
            problems["fleet"] = "Name the fleet, the provider or the model that is self-hosted."
        if not self.unit_prices:
            problems["gpu_second_price"] = "Write a price per GPU-second, per token or per request."
        if self.cache:
            problems["cache"] = "Only response-cache hits name a cache."
        return problems

    def _problems_of_cache_hit(self) -> dict[str, str]:
        problems = {}
        if self.cache not in CACHE_LEVELS:
            problems["cache"] = f"Write one of {', '.join(CACHE_LEVELS)}."
        if self.request_price is None:
            problems["request_price"] = "Write what one hit costs."
        return problems

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.provider}/{self.model} #{self.pk}"
