"""Minutes of the last two days, by team, feature and model."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("finops", "0035_enforcement_tally"),)

    operations = (
        migrations.RunSQL(
            (SQL / "minute_schema.sql").read_text(), "DROP TABLE rollup_minute, minute_key"
        ),
    )
