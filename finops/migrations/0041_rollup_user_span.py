"""All users of a settled span in one row of arrays; made as days settle."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("finops", "0040_plans_of_anomalies"),)

    operations = (
        migrations.RunSQL(
            (SQL / "user_spans_schema.sql").read_text(), "DROP TABLE rollup_user_span"
        ),
        # What settled before has none yet: it settles again, a day at a time.
        migrations.RunSQL(
            """
            INSERT INTO rollup_unsettled (day, touched_at)
            SELECT start, '-infinity'::timestamptz
            FROM rollup_user_total
            WHERE span = 'day'
            GROUP BY start
            ON CONFLICT (day) DO NOTHING
            """,
            migrations.RunSQL.noop,
        ),
    )
