"""The table behind Django's database cache, as a model so that it is made and emptied like one."""

from __future__ import annotations

from django.db import models


class CacheEntry(models.Model):
    """One cached value: counts of sign-in attempts. Written by Django's DatabaseCache only."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "cache_entry"

    def __str__(self) -> str:
        return self.cache_key
