from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0026_settlement"),)

    operations = (
        migrations.CreateModel(
            name="IngestSaturation",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("process", models.TextField()),
                ("minute", models.DateTimeField()),
                ("noted_at", models.DateTimeField()),
                ("values", models.JSONField()),
            ],
            options={
                "db_table": "ingest_saturation",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("process", "minute"), name="ingest_saturation_once"
                    )
                ],
            },
        ),
    )
