"""Credentials of machines: ingest keys write events, API tokens read costs."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class IngestKey(models.Model):
    """What a service shows to write events. Only a digest of it is kept.

    `service` is also the source of the events written with it: the same event id under the same
    service is the same event, so a key can be rotated without counting anything twice.
    """

    prefix = models.CharField(max_length=16, unique=True)
    digest = models.BinaryField(max_length=32, unique=True)
    name = models.CharField(max_length=200, blank=True, db_default="")  # what people call it
    service = models.CharField(max_length=200)
    team = models.CharField(max_length=200, blank=True)
    environment = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    stops_at = models.DateTimeField(null=True, blank=True)  # set when it is rotated out
    replaced_by = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaces"
    )
    # Counted by each ingest process for itself; null does not limit.
    events_per_minute = models.PositiveIntegerField(null=True, blank=True)
    events_per_day = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        db_table = "ingest_key"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.service})"


class KeyRefusal(models.Model):
    """What a key's limits refused within one hour (UTC), summed over all ingest processes.

    `events` are those of requests that were read; most are refused unread.
    """

    # Counted after the key was read, so it may be gone when this is written.
    key = models.ForeignKey(
        IngestKey, on_delete=models.CASCADE, related_name="refusals", db_constraint=False
    )
    hour = models.DateTimeField()
    requests = models.BigIntegerField()
    events = models.BigIntegerField()

    class Meta:
        db_table = "ingest_key_refusal"
        constraints = (
            models.UniqueConstraint(fields=["key", "hour"], name="ingest_key_refusal_once"),
        )

    def __str__(self) -> str:
        return f"{self.key} at {self.hour:%Y-%m-%d %H:%M}: {self.requests} requests refused"


class ApiToken(models.Model):
    """What a script shows to read costs, with the rights of its user. Only a digest is kept."""

    prefix = models.CharField(max_length=16, unique=True)
    digest = models.BinaryField(max_length=32, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.user})"
