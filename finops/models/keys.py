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
    service = models.CharField(max_length=200)
    team = models.CharField(max_length=200, blank=True)
    environment = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "ingest_key"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.service})"


class ApiToken(models.Model):
    """What a script shows to read costs, with the rights of its user. Only a digest is kept."""

    prefix = models.CharField(max_length=16, unique=True)
    digest = models.BinaryField(max_length=32, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.user})"
