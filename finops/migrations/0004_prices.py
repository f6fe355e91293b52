"""The cost formula in SQL, and the defaults an organisation starts with."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROOT = Path(__file__).resolve().parent.parent.parent

LATENCY_TIERS = (("realtime", 500), ("interactive", 2_000), ("standard", 10_000), ("batch", None))
# What a hit typically costs to serve, by level of the response cache, in USD.
CACHE_HIT_PRICES = {
    "memory": "0.00001",
    "redis": "0.0001",
    "semantic": "0.0005",
    "database": "0.001",
}
# A request answered from the response cache used no model: its tokens cost nothing.
FREE_TOKENS = dict.fromkeys(
    (
        "uncached_input_price",
        "cache_read_input_price",
        "cache_creation_5m_input_price",
        "cache_creation_1h_input_price",
        "input_audio_price",
        "text_output_price",
        "reasoning_output_price",
        "output_audio_price",
    ),
    Decimal(0),
)


def add_defaults(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("finops", "LatencyTier").objects.bulk_create(
        apps.get_model("finops", "LatencyTier")(name=name, max_latency_ms=limit)
        for name, limit in LATENCY_TIERS
    )
    price = apps.get_model("finops", "Price")
    price.objects.bulk_create(
        price(
            kind="cache_hit",
            provider="*",
            model="*",
            cache=cache,
            request_price=Decimal(amount),
            source="default estimate",
            note="An estimate to start with: replace it by what your cache costs.",
            **FREE_TOKENS,
        )
        for cache, amount in CACHE_HIT_PRICES.items()
    )


class Migration(migrations.Migration):
    dependencies = (("finops", "0003_rollups"),)

    operations = (
        migrations.RunSQL((ROOT / "ingest/sql/rating.sql").read_text(), "DROP FUNCTION rate_usage"),
        migrations.RunPython(add_defaults, migrations.RunPython.noop),
    )
