"""What a fold reads of an event, in one place."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

ROOT = Path(__file__).resolve().parent.parent


class Migration(migrations.Migration):
    dependencies = (("finops", "0009_people"),)

    operations = (
        migrations.RunSQL(
            (ROOT / "sql/foldable_event.sql").read_text(), "DROP VIEW foldable_event"
        ),
    )
