from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import finops.models.budgets


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0030_rollup_day_users"),
    ]

    operations = [
        migrations.CreateModel(
            name="EnforcementPlan",
            fields=[
                (
                    "budget",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="finops.budget",
                    ),
                ),
                ("terms", models.JSONField()),
                ("version", models.BigIntegerField()),
            ],
            options={
                "db_table": "enforcement_plan",
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("key_id", models.IntegerField()),
                ("source", models.CharField(max_length=200)),
                ("event_key", models.UUIDField(null=True)),
                ("alias_key", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "reservation",
            },
        ),
        migrations.AddField(
            model_name="budget",
            name="enforcement",
            field=models.CharField(
                choices=[
                    ("none", "Only tell"),
                    ("throttle", "Throttle calls"),
                    ("block", "Block calls"),
                ],
                db_default="none",
                default="none",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="fail_closed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="budget",
            name="throttle_percent",
            field=finops.models.budgets.TypedField(decimal_places=6, max_digits=20, null=True),
        ),
        migrations.CreateModel(
            name="EnforcementState",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=0)),
                ("as_of", models.DateTimeField()),
                ("refreshed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "enforcement_state",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="enforcement_state_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EnforcementStanding",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value", models.TextField(blank=True)),
                ("period_start", models.DateTimeField()),
                ("spent", finops.models.budgets.ExactField(decimal_places=100, max_digits=200)),
                (
                    "amount",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200, null=True),
                ),
                ("version", models.BigIntegerField()),
                (
                    "budget",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="finops.budget",
                    ),
                ),
            ],
            options={
                "db_table": "enforcement_standing",
                "indexes": [models.Index(fields=["version"], name="enforcement_standing_version")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("budget", "value"), name="enforcement_standing_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReservationHold",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value", models.TextField(blank=True)),
                ("period_start", models.DateTimeField()),
                ("amount", finops.models.budgets.ExactField(decimal_places=100, max_digits=200)),
                ("expires_at", models.DateTimeField()),
                (
                    "budget",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="finops.budget",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="finops.reservation",
                    ),
                ),
            ],
            options={
                "db_table": "reservation_hold",
                "indexes": [
                    models.Index(fields=["budget", "value"], name="reservation_hold_of_budget")
                ],
            },
        ),
    ]
