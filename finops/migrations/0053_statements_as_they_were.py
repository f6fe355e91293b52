from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("finops", "0052_statement_usage")]

    operations = [
        migrations.AddField("statementversion", "centers", models.JSONField(default=dict)),
        migrations.RunSQL(
            (SQL / "untruncated_schema.sql").read_text(),
            """
            DROP TRIGGER statement_version_is_not_emptied ON statement_version;
            DROP TRIGGER statement_line_is_not_emptied ON statement_line;
            DROP TRIGGER statement_usage_is_not_emptied ON statement_usage;
            DROP TRIGGER audit_record_is_not_emptied ON audit_record
            """,
        ),
    ]
