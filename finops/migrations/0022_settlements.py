"""What replaces the figures of an event: two more rows, and settlements until they are applied."""

from __future__ import annotations

from django.db import migrations

from finops.sql import statement


class Migration(migrations.Migration):
    dependencies = (("finops", "0021_name_hashing"),)

    operations = (
        # Tables made since have these columns from the start. Constant defaults rewrite nothing.
        migrations.RunSQL(
            "ALTER TABLE usage_event ADD COLUMN IF NOT EXISTS reverses_key uuid,"
            " ADD COLUMN IF NOT EXISTS corrects_key uuid;"
            " ALTER TABLE ingest_batch ADD COLUMN IF NOT EXISTS"
            " reversals integer NOT NULL DEFAULT 0",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(statement("measured_event"), migrations.RunSQL.noop),
        migrations.RunSQL(statement("foldable_event"), migrations.RunSQL.noop),
    )
