"""Under which other names the same call may come again."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

ROOT = Path(__file__).resolve().parent.parent.parent


class Migration(migrations.Migration):
    dependencies = (("finops", "0023_operations"),)

    operations = (
        migrations.RunSQL(
            (ROOT / "ingest/sql/event_alias.sql").read_text(), "DROP TABLE event_alias"
        ),
    )
