"""Lines of statements are read in their order, a page at a time."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("finops", "0047_statements")]

    operations = [
        migrations.AlterField(
            model_name="statementline",
            name="statement",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="lines",
                to="finops.statementversion",
            ),
        ),
        migrations.AddIndex(
            model_name="statementline",
            index=models.Index(fields=["statement", "id"], name="statement_line_in_order"),
        ),
    ]
