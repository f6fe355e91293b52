"""The errors that a real catalogue has had are held, its real cuts are applied from their date."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.conf import settings

from finops import ledger
from finops.models import Price, PriceHold
from finops.pricing.lines import PriceLine, UnitPrices
from finops.pricing.sanity import Held, Knowledge, key, sift

HISTORY = (
    Path(settings.BASE_DIR).parent / "shared/data/prices/litellm_price_history_to_2025-08.parquet"
)
pytestmark = pytest.mark.skipif(not HISTORY.exists(), reason="the price history is not here")

COLUMNS = {
    "uncached_input": "input_usd_per_mtok",
    "cache_read_input": "cache_read_usd_per_mtok",
    "cache_creation_5m_input": "cache_write_5m_usd_per_mtok",
    "cache_creation_1h_input": "cache_write_1h_usd_per_mtok",
    "text_output": "output_usd_per_mtok",
}
# What was wrong, as the same catalogue later said itself or as the maker's list does: per thousand
# for per million, shifted commas, storage for writes. (model, bucket, USD per million tokens)
ERRORS = {
    ("gemini-2.0-flash-001", "uncached_input", "150.0"),
    ("gemini-2.0-flash-001", "text_output", "600.0"),
    ("gemini/gemini-2.0-flash", "uncached_input", "150.0"),
    ("gemini/gemini-2.0-flash", "text_output", "600.0"),
    ("openrouter/qwen/qwen-vl-plus", "uncached_input", "210.0"),
    ("openrouter/qwen/qwen-vl-plus", "text_output", "630.0"),
    ("openrouter/bytedance/ui-tars-1.5-7b", "uncached_input", "100000.0"),
    ("openrouter/bytedance/ui-tars-1.5-7b", "text_output", "200000.0"),
    ("azure_ai/Phi-4-multimodal-instruct", "text_output", "320.0"),
    ("azure_ai/jais-30b-chat", "uncached_input", "3200.0"),
    ("azure_ai/jais-30b-chat", "text_output", "9710.0"),
    ("databricks/databricks-claude-3-7-sonnet", "text_output", "178.57"),
    ("watsonx/ibm/granite-3-8b-instruct", "uncached_input", "200.0"),
    ("oci/xai.grok-3", "text_output", "0.15"),
    ("oci/xai.grok-4", "text_output", "0.15"),
    ("gemini-1.5-flash-preview-0514", "text_output", "0.0046875"),
    ("gemini/gemini-1.5-flash-001", "cache_creation_5m_input", "1.0"),
    ("gemini/gemini-1.5-flash-002", "cache_creation_5m_input", "1.0"),
}
# Real changes of price: (model, bucket, before, after, the day the catalogue had it).
CUTS = [
    ("o3", "uncached_input", "10", "2", "2025-06-11"),
    ("o3", "text_output", "40", "8", "2025-06-11"),
    ("azure/o3", "text_output", "40", "8", "2025-06-21"),
    ("mistral/mistral-medium-latest", "uncached_input", "2.7", "0.4", "2025-05-29"),
    ("mistral/mistral-medium-latest", "text_output", "8.1", "2", "2025-05-29"),
    ("deepseek/deepseek-chat", "text_output", "0.28", "1.1", "2025-02-07"),
    ("gemini/gemini-2.5-flash-preview-05-20", "text_output", "0.6", "2.5", "2025-06-20"),
    ("claude-3-5-haiku-20241022", "cache_read_input", "0.8", "0.08", "2025-04-09"),
    ("deepinfra/mistralai/Mixtral-8x7B-Instruct-v0.1", "uncached_input", "0.27", "0.08",
     "2025-08-22"),
]  # fmt: skip
# Held too, and right: prices of ten times, mended errors, trials that ended, two dear models.
RIGHT = {
    *("mistral/mistral-small", "mistral/mistral-small-latest", "mistral/magistral-small-2506"),
    *("gpt-5-chat", "azure/gpt-5-chat", "gemini/gemini-2.5-pro-preview-03-25"),
    *("azure_ai/deepseek-r1", "azure_ai/Phi-4-mini-instruct"),
    *("gemini-2.0-flash-exp", "gemini-2.0-pro-exp-02-05", "gemini-2.5-pro-exp-03-25"),
    *("sambanova/Meta-Llama-3.2-1B-Instruct", "sambanova/Meta-Llama-3.2-3B-Instruct"),
    *("sambanova/Qwen2-Audio-7B-Instruct", "luminous-supreme", "luminous-supreme-control"),
}

Catalogue = dict[tuple[str, str], list[PriceLine]]


def history() -> dict[datetime, list[PriceLine]]:
    """When the catalogue changed → the lines that were new in it."""
    changes: dict[datetime, list[PriceLine]] = defaultdict(list)
    for row in pq.read_table(HISTORY).to_pylist():
        prices = {
            bucket: Decimal(repr(row[column])).scaleb(-6)
            for bucket, column in COLUMNS.items()
            if row[column] is not None
        }
        since = None if row["first_snapshot"] else row["valid_from"]
        line = PriceLine(
            "catalog", row["provider"], row["model"], UnitPrices(**prices), effective_from=since
        )
        if prices:
            changes[row["valid_from"]].append(line)
    return dict(sorted(changes.items()))


def per_million(amount: str) -> Decimal:
    return Decimal(amount).scaleb(-6)


def test_every_known_error_of_the_whole_history_is_held_and_little_else() -> None:
    current: dict[object, PriceLine] = {}
    held: dict[str, Held] = {}
    lines = 0
    for at, batch in history().items():
        lines += len(batch)
        before = [current[key(line)] for line in batch if key(line) in current]
        used = {(line.provider, line.model) for line in batch}
        applied, kept = sift(batch, Knowledge(before, {}, used, ()), at)
        current |= {key(line): replace(line, effective_from=None) for line in applied}
        held |= {each.fingerprint: each for each in kept}
    assert lines > 1500
    findings = {
        (each.line.model, finding.bucket, finding.new)
        for each in held.values()
        for finding in each.findings
    }
    errors = {(model, bucket, per_million(price)) for model, bucket, price in ERRORS}
    assert errors <= findings
    assert {each.line.model for each in held.values()} - {model for model, *_ in ERRORS} == RIGHT
    # One decision each; in 14 of them the new price is an error.
    assert (len(held), sum(map(_has_error, held.values()))) == (35, 14)


def _has_error(held: Held) -> bool:
    return _is_wrong(held.line)


@pytest.mark.django_db
def test_the_ledger_holds_the_errors_and_applies_the_cuts_from_their_date() -> None:
    """The same history through the ledger itself, as a catalogue that dates its prices."""
    models = {model for model, *_ in CUTS} | {model for model, *_ in ERRORS}
    listed: Catalogue = {}
    for at, batch in history().items():
        new = [line for line in batch if line.model in models]
        for line in new:
            listed[line.provider, line.model] = _dated(listed, line)
        if new:
            ledger.sync_catalog(at, [line for lines in listed.values() for line in lines])
    prices = {
        (model, bucket, getattr(price, f"{bucket}_price"))
        for price in Price.objects.filter(kind="catalog")
        for model, bucket in ((price.model, bucket) for bucket in COLUMNS)
    }
    for model, bucket, amount in ERRORS:
        assert (model, bucket, per_million(amount)) not in prices
        assert PriceHold.objects.filter(model=model).exists(), model
    for model, bucket, before, after, day in CUTS:
        assert _in_force(model, bucket, f"{day}T00:00:00+00:00") == per_million(before), model
        assert _in_force(model, bucket, f"{day}T23:59:59+00:00") == per_million(after), model


def _dated(listed: Catalogue, line: PriceLine) -> list[PriceLine]:
    """A price that is mended within days was never true, and the catalogue forgets it."""
    before = listed.get((line.provider, line.model), [])
    kept = [each for each in before if not _is_wrong(each)]
    if kept:
        kept[-1] = replace(kept[-1], effective_to=line.effective_from)
    return [*kept, line]


def _is_wrong(line: PriceLine) -> bool:
    return any(
        line.model == model and getattr(line.prices, bucket) == per_million(amount)
        for model, bucket, amount in ERRORS
    )


def _in_force(model: str, bucket: str, at: str) -> Decimal | None:
    moment = datetime.fromisoformat(at)
    lines = [line for line in ledger.current_lines() if line.model == model]
    holding = [line for line in lines if line.holds(moment, moment.astimezone(UTC).time(), 1)]
    assert len(holding) == 1, (model, holding)
    price: Decimal | None = getattr(holding[0].prices, bucket)
    return price
