"""What a batch tells of its clients, examples of refused events, values past a limit."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0012_superseded_by"),
    ]

    operations = [
        # Constant defaults: neither rewrites the table.
        migrations.RunSQL(
            "ALTER TABLE ingest_batch ADD COLUMN unknown_names jsonb NOT NULL DEFAULT '[]',"
            " ADD COLUMN clients jsonb NOT NULL DEFAULT '{}'",
            "ALTER TABLE ingest_batch DROP COLUMN unknown_names, DROP COLUMN clients",
        ),
        migrations.CreateModel(
            name="CardinalityOverflow",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("dimension", models.TextField()),
                ("team", models.TextField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("times", models.BigIntegerField()),
                ("examples", models.JSONField()),
            ],
            options={
                "db_table": "cardinality_overflow",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dimension", "team"), name="cardinality_overflow_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectedExample",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key_id", models.IntegerField()),
                ("received_at", models.DateTimeField()),
                ("format", models.TextField()),
                ("client", models.TextField()),
                ("reason", models.TextField()),
                ("field", models.TextField()),
                ("id_prefix", models.TextField()),
                ("shape", models.JSONField()),
            ],
            options={
                "db_table": "rejected_example",
                "indexes": [
                    models.Index(fields=["key_id", "reason"], name="rejected_example_of_key")
                ],
            },
        ),
    ]
