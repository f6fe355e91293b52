"""What the business counts: metrics, their values and files of them."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import finops.models.budgets


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0055_exchange_rates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BusinessMetric",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.SlugField(db_index=False, max_length=60, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("unit", models.CharField(blank=True, max_length=40)),
                (
                    "kind",
                    models.CharField(
                        choices=[("count", "Count"), ("money", "Money")], max_length=16
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("adds_up", models.BooleanField()),
                ("absent_is_zero", models.BooleanField(default=False)),
                (
                    "dimensions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=204), default=list, size=None
                    ),
                ),
                ("filters", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "business_metric",
                "ordering": ("name", "key"),
            },
        ),
        migrations.CreateModel(
            name="BusinessMetricImport",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=200)),
                ("lines", models.PositiveIntegerField()),
                ("added", models.PositiveIntegerField()),
                ("replaced", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=200)),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="imports",
                        to="finops.businessmetric",
                    ),
                ),
            ],
            options={
                "db_table": "business_metric_import",
                "ordering": ("-pk",),
            },
        ),
        migrations.CreateModel(
            name="BusinessMetricUpload",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("text", models.TextField()),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="finops.businessmetric",
                    ),
                ),
            ],
            options={
                "db_table": "business_metric_upload",
            },
        ),
        migrations.CreateModel(
            name="BusinessMetricValue",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_month", models.BooleanField()),
                ("day", models.DateField()),
                (
                    "keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                (
                    "value",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200, null=True),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="finops.businessmetricimport",
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="finops.businessmetric",
                    ),
                ),
                (
                    "superseded_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="finops.businessmetricimport",
                    ),
                ),
            ],
            options={
                "db_table": "business_metric_value",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("superseded_by", None)),
                        fields=("metric", "day", "is_month", "keys"),
                        name="business_metric_value_once",
                    )
                ],
            },
        ),
    ]
