"""One team's days are found by its attributions, each once, and not by each day anew."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("finops", "0024_event_alias"),)

    operations = (
        migrations.RunSQL(
            "CREATE INDEX rollup_day_attribution ON rollup_day (attribution_id, day)",
            "DROP INDEX rollup_day_attribution",
        ),
    )
