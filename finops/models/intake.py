"""What the ingest process notes for people: refused events and values past a limit.

The process writes both (ingest/notebook.py, ingest/overflows.py); pages read them.
"""

from __future__ import annotations

from django.db import models


class RejectedExample(models.Model):
    """One refused event without anything in it that its client wrote: see ingest/examples.py."""

    key_id = models.IntegerField()
    received_at = models.DateTimeField()
    format = models.TextField()
    client = models.TextField()
    reason = models.TextField()
    field = models.TextField()
    id_prefix = models.TextField()
    shape = models.JSONField()

    class Meta:
        db_table = "rejected_example"
        indexes = (models.Index(fields=["key_id", "reason"], name="rejected_example_of_key"),)

    def __str__(self) -> str:
        return f"{self.reason} of key {self.key_id} at {self.received_at:%Y-%m-%d %H:%M}"


class CardinalityOverflow(models.Model):
    """What one team sent past the limit of one dimension; `examples` counts the first values."""

    dimension = models.TextField()
    team = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.BigIntegerField()
    examples = models.JSONField()

    class Meta:
        db_table = "cardinality_overflow"
        constraints = (
            models.UniqueConstraint(fields=["dimension", "team"], name="cardinality_overflow_once"),
        )

    def __str__(self) -> str:
        return f"{self.dimension} of {self.team or 'no team'}"


class IngestSaturation(models.Model):
    """How full one ingest process was in one minute; `values` as of ingest.saturation.Minute."""

    process = models.TextField()
    minute = models.DateTimeField()
    noted_at = models.DateTimeField()
    values = models.JSONField()

    class Meta:
        db_table = "ingest_saturation"
        constraints = (
            models.UniqueConstraint(fields=["process", "minute"], name="ingest_saturation_once"),
        )

    def __str__(self) -> str:
        return f"{self.process} at {self.minute}"
