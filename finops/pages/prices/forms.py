"""The forms of the desk. They read nothing themselves: what `ledger.add` would refuse is told
beside its field, in its words."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from finops.models import Price
from finops.models.prices import CACHE_LEVELS, SERVICE_TIERS
from finops.price_entries import terms_of
from finops.pricing.lines import TOKEN_BUCKETS

KINDS = [each for each in Price.Kind.choices if each[0] != Price.Kind.CATALOG]
BUCKETS = {
    "uncached_input": "Input",
    "cache_read_input": "Input, read from cache",
    "cache_creation_5m_input": "Input, written to cache for 5 min",
    "cache_creation_1h_input": "Input, written to cache for 1 h",
    "input_audio": "Input, audio",
    "text_output": "Output",
    "reasoning_output": "Output, reasoning",
    "output_audio": "Output, audio",
}
PREVIEW_DAYS = [("7", "7 days"), ("30", "30 days"), ("90", "90 days")]
HOURS_DIGITS = Decimal("1E-20")


def _text(label: str, hint: str = "") -> forms.CharField:
    return forms.CharField(label=label, help_text=hint, required=False, max_length=200)


def _choice(label: str, choices: list[tuple[str, str]], empty: str = "") -> forms.ChoiceField:
    offered = [("", empty), *choices] if empty else choices
    return forms.ChoiceField(label=label, choices=offered, required=False)


class PriceForm(forms.Form):
    kind = _choice("Kind", KINDS)
    provider = _text("Provider", "A pattern such as openai; empty is every one.")
    model = _text("Model", "A pattern such as gpt-*; empty is every one.")
    fleet = _text("Fleet", "Of self-hosted inference.")
    cache = _choice("Response cache", [(each, each) for each in CACHE_LEVELS], "none")
    service_tier = _choice("Service tier", [(t, t) for t in SERVICE_TIERS if t], "every tier")
    effective_from = _text("From", "2026-10-01, or with time and zone. Empty: always.")
    effective_to = _text("Until", "The first moment at which it holds no more.")
    context_over = _text("Over so many input tokens")
    daily_from = _text("Each day from, UTC", "16:30")
    daily_to = _text("Each day until, UTC")
    discount_percent = _text("Discount, %", "Off the list price; contracts only.")
    request_price = _text("Per request", "Of a cache hit: what one hit costs.")
    currency = _text(
        "Currency of the prices",
        "A code such as USD or EUR. Costs are in the reporting currency, by the day's rate.",
    )
    gpu_hour_price = _text("Per GPU-hour", "Self-hosted.")
    source = _text("Source", "Where it is written down: a contract, an invoice.")
    note = _text("Note")
    replaces = forms.IntegerField(required=False, widget=forms.HiddenInput)
    preview_days = _choice("Preview its effect on the last", PREVIEW_DAYS)

    GROUPS = (
        ("Which requests", ("kind", "provider", "model", "fleet", "cache", "service_tier")),
        ("When", ("effective_from", "effective_to", "context_over", "daily_from", "daily_to")),
        (
            "Per million tokens",
            tuple(f"{bucket}_price_per_million" for bucket in TOKEN_BUCKETS),
        ),
        ("Other prices", ("discount_percent", "request_price", "gpu_hour_price", "currency")),
        ("On record", ("source", "note", "preview_days")),
    )

    def __init__(self, data: object = None, initial: dict[str, str] | None = None) -> None:
        defaults = {"preview_days": "30", "currency": settings.CURRENCY}
        super().__init__(data, initial={**defaults, **(initial or {})})  # type: ignore[arg-type]
        for bucket, label in BUCKETS.items():
            self.fields[f"{bucket}_price_per_million"] = _text(label)

    def terms(self) -> dict[str, str]:
        """What was filled in, as `ledger.add` takes it."""
        kept = {**self.cleaned_data, "replaces": "", "preview_days": ""}
        return {name: text for name, text in kept.items() if text}

    def show(self, problem: ValidationError) -> None:
        """Put each of the ledger's objections beside its field."""
        known = set(self.errors)
        for name, messages in problem.message_dict.items():
            for message in messages:
                field, text = name, message
                if name == "__all__" and message.partition(": ")[0] in self.fields:
                    field, _, text = message.partition(": ")
                # What the form itself refused was not handed on, and so is missing.
                if (place := self._field_of(field)) not in known:
                    self.add_error(place, text)

    def _field_of(self, name: str) -> str | None:
        for found in (name, f"{name}_per_million"):
            if found in self.fields:
                return found
        return "gpu_hour_price" if name == "gpu_second_price" else None

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]


def filled_from(price: Price) -> dict[str, str]:
    """A form that makes the same line; prices per million and per hour, as people write them."""
    terms = terms_of(price)
    for bucket in TOKEN_BUCKETS:
        if text := terms.pop(f"{bucket}_price", ""):
            terms[f"{bucket}_price_per_million"] = _plain(Decimal(text).scaleb(6))
    if text := terms.pop("gpu_second_price", ""):
        hour = (Decimal(text) * 3600).quantize(HOURS_DIGITS, ROUND_HALF_EVEN)
        terms["gpu_hour_price"] = _plain(hour)
    return terms


def prices_from(price: Price) -> dict[str, str]:
    """Only the prices of a line, for another model."""
    filled = filled_from(price)
    return {name: text for name, text in filled.items() if "_price" in name}


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class EndForm(forms.Form):
    effective_to = forms.CharField(
        label="Ends at",
        max_length=40,
        help_text="The first moment at which it holds no more: 2026-11-01, or with time and zone.",
    )
    note = forms.CharField(label="Why", max_length=200)


class RatingForm(forms.Form):
    start = forms.CharField(label="First day", max_length=40, help_text="2026-10-01")
    end = forms.CharField(
        label="Until",
        max_length=40,
        required=False,
        help_text="Not included; empty is today's end.",
    )
    only_unpriced = forms.BooleanField(label="Only what has no price", required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why", max_length=400, error_messages={"required": "Say why: it stays on record."}
    )


def last_days(text: str) -> timedelta:
    """What was chosen as preview_days."""
    return timedelta(days=int(text) if text in dict(PREVIEW_DAYS) else 30)
