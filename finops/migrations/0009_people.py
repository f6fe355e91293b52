"""Roles, teams' members and the audit log."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps as Apps

ROOT = Path(__file__).resolve().parent.parent


def give_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Before there were roles, everybody saw everything."""
    account = apps.get_model("finops", "Account")
    for user in apps.get_model("auth", "User").objects.all():
        role = "administrator" if user.is_superuser else "finance"
        account.objects.create(user=user, role=role)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("finops", "0008_rollup_statistics"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="account",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("administrator", "Administrator"),
                            ("finance", "Finance"),
                            ("engineer", "Engineer"),
                            ("viewer", "Viewer"),
                        ],
                        max_length=16,
                    ),
                ),
            ],
            options={
                "db_table": "person",
            },
        ),
        migrations.CreateModel(
            name="AuditRecord",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                ("actor", models.CharField(max_length=200)),
                ("action", models.CharField(db_index=True, max_length=64)),
                ("subject", models.CharField(max_length=400)),
                ("team", models.CharField(blank=True, max_length=200)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("reason", models.TextField(blank=True)),
                ("address", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "db_table": "audit_record",
                "ordering": ("-at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="finops.team",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="team_members",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "team_member",
                "constraints": [
                    models.UniqueConstraint(fields=("team", "user"), name="team_member_once")
                ],
            },
        ),
        migrations.RunPython(give_roles, migrations.RunPython.noop),
        migrations.RunSQL(
            (ROOT / "sql/audit_schema.sql").read_text(),
            "DROP TRIGGER audit_record_is_append_only ON audit_record; "
            "DROP FUNCTION refuse_change_of_audit_record",
        ),
    ]
