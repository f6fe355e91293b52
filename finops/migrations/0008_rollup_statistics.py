"""What the planner looks at in rollups."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

ROOT = Path(__file__).resolve().parent.parent


class Migration(migrations.Migration):
    dependencies = (("finops", "0007_rollup_unchecked"),)

    operations = (
        migrations.RunSQL((ROOT / "sql/rollup_statistics.sql").read_text(), migrations.RunSQL.noop),
    )
