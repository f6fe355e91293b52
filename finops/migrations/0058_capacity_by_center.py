"""What closed months came to later is known of each commitment and fleet by cost center.

Statements stay as they are. Of months that were closed before, the next close bears what their
capacity gives each cost center by the hour, less what it gave then: in all nothing, but who used
most of a fleet bears more of it than who sent most requests.
"""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("finops", "0057_measure_used"),)

    operations = (
        migrations.RunSQL("DELETE FROM closed_month_change", migrations.RunSQL.noop),
        migrations.RenameField("closedmonthchange", "covered", "charged"),
    )
