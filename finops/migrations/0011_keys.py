"""Keys: names, an end of their own, limits and what those refused; tokens: names and an end."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0010_foldable_event"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="name",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="events_per_day",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="events_per_minute",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="name",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="replaced_by",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replaces",
                to="finops.ingestkey",
            ),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="stops_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="KeyRefusal",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("requests", models.BigIntegerField()),
                ("events", models.BigIntegerField()),
                (
                    "key",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="finops.ingestkey",
                    ),
                ),
            ],
            options={
                "db_table": "ingest_key_refusal",
                "constraints": [
                    models.UniqueConstraint(fields=("key", "hour"), name="ingest_key_refusal_once")
                ],
            },
        ),
    ]
