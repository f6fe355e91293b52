"""How far automatic re-rating has looked."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0005_rerating"),)

    operations = (
        migrations.AddField(
            model_name="ratingrun",
            name="to_batch",
            field=models.BigIntegerField(default=0),
        ),
    )
