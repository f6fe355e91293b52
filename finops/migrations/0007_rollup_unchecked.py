"""The days that are to be compared with their events."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

ROOT = Path(__file__).resolve().parent.parent


class Migration(migrations.Migration):
    dependencies = (("finops", "0006_to_batch"),)

    operations = (
        migrations.RunSQL(
            (ROOT / "sql/unchecked_schema.sql").read_text(), "DROP TABLE rollup_unchecked"
        ),
        migrations.AddIndex(
            model_name="rollupcheck",
            index=models.Index(fields=["day", "-checked_at", "-id"], name="rollup_check_latest"),
        ),
    )
