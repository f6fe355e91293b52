"""What an organisation decides: teams, latency tiers, tags that are dimensions, single settings."""

from __future__ import annotations

from django.db import models


class Team(models.Model):
    name = models.CharField(max_length=200, unique=True)
    cost_center = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "team"

    def __str__(self) -> str:
        return self.name


class LatencyTier(models.Model):
    """Requests of at most `max_latency_ms` belong here; the tier without a maximum is the last.

    `target_p95_ms` is what 95 in 100 of its requests should keep; None without a target.
    """

    name = models.CharField(max_length=200, unique=True)
    max_latency_ms = models.FloatField(null=True)
    target_p95_ms = models.FloatField(null=True)

    class Meta:
        db_table = "latency_tier"
        constraints = (
            # Of tiers without a bound there is one too.
            models.UniqueConstraint(
                fields=["max_latency_ms"], nulls_distinct=False, name="latency_tier_bound_once"
            ),
        )
        ordering = (models.F("max_latency_ms").asc(nulls_last=True),)

    def __str__(self) -> str:
        return self.name


class ActivatedTag(models.Model):
    """A tag key that is a dimension: events keep every tag, rollups only activated ones."""

    key = models.CharField(max_length=200, unique=True)
    activated_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "activated_tag"

    def __str__(self) -> str:
        return self.key


class Setting(models.Model):
    """One decision by name; where there is no row the default holds. See finops/organisation."""

    name = models.CharField(max_length=100, primary_key=True)
    value = models.JSONField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "setting"

    def __str__(self) -> str:
        return self.name
