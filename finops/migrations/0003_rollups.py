"""The rollups, which are SQL and not models."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

ROOT = Path(__file__).resolve().parent.parent


class Migration(migrations.Migration):
    dependencies = (("finops", "0002_facts"),)

    operations = (
        migrations.RunSQL(
            (ROOT / "sql/rollup_schema.sql").read_text(),
            """
            DROP FUNCTION merge_histograms, compact_histogram, latency_bin;
            DROP TABLE rollup_unsettled, rollup_user_total, rollup_user_day, rollup_day,
                rollup_hour, rollup_state
            """,
        ),
        migrations.RunSQL(
            (ROOT / "sql/measured_event.sql").read_text(), "DROP VIEW measured_event"
        ),
    )
