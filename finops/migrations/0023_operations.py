from __future__ import annotations

from django.db import migrations, models

from finops.sql import statement

# Runs that were asked for and had not ended go on as operations.
ADOPT = """
    INSERT INTO operation (kind, state, what, start, "end", terms, unit, total, done, done_to,
        events, result, requested_by, created_at, worked_seconds, message)
    SELECT 'rerate', 'waiting', '', start, "end",
        jsonb_build_object('run', id, 'only_unpriced', only_unpriced), 'days', 0, 0, done_to,
        events_examined, '{}', requested_by, created_at, 0, ''
    FROM rating_run
    WHERE is_queued AND finished_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0022_settlements"),
    ]

    operations = [
        migrations.RunSQL(
            statement("histogram_differences"),
            "DROP FUNCTION remaining_histogram",
        ),
        migrations.CreateModel(
            name="Operation",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("rerate", "Rate again"),
                            ("rebuild", "Rebuild roll-ups"),
                            ("refold", "Fold everything anew"),
                            ("retention", "Drop old events"),
                            ("load", "Load files"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("done", "done"),
                            ("failed", "stopped"),
                            ("cancelled", "cancelled"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("what", models.TextField()),
                ("start", models.DateTimeField(null=True)),
                ("end", models.DateTimeField(null=True)),
                ("terms", models.JSONField(default=dict)),
                ("unit", models.CharField(default="days", max_length=16)),
                ("total", models.BigIntegerField(default=0)),
                ("done", models.BigIntegerField(default=0)),
                ("done_to", models.DateTimeField(null=True)),
                ("events", models.BigIntegerField(default=0)),
                ("result", models.JSONField(default=dict)),
                ("requested_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("worked_seconds", models.FloatField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
                ("message", models.TextField(blank=True)),
            ],
            options={
                "db_table": "operation",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=["id"],
                        name="operation_unfinished",
                    )
                ],
            },
        ),
        migrations.RunSQL(ADOPT, migrations.RunSQL.noop),
    ]
