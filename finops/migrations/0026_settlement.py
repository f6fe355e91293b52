"""Settlements: kept from when they are acknowledged, for as long as the day they are about."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

ROOT = Path(__file__).resolve().parent.parent.parent


class Migration(migrations.Migration):
    dependencies = (("finops", "0025_rollup_day_attribution"),)

    operations = (
        migrations.RunSQL(
            (ROOT / "ingest/sql/settlement_schema.sql").read_text(), "DROP TABLE settlement"
        ),
    )
