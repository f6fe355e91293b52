"""Who the users of a day are, in one value for each attribution; made as days settle."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("finops", "0029_alerts"),)

    operations = (
        migrations.RunSQL(
            (SQL / "day_users_schema.sql").read_text(), "DROP TABLE rollup_day_users"
        ),
        # What settled before has none yet: it settles again, a few days at a time.
        migrations.RunSQL(
            """
            INSERT INTO rollup_unsettled (day, touched_at)
            SELECT DISTINCT start, '-infinity'::timestamptz
            FROM rollup_user_total
            WHERE span = 'day'
            ON CONFLICT (day) DO NOTHING
            """,
            migrations.RunSQL.noop,
        ),
    )
