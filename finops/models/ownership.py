"""Who pays: cost centers, which team has which from when, and rules that say otherwise.

What rules come to for each attribution is SQL's: see finops/sql/ownership_schema.sql.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from finops.models.taxonomy import Team


class CostCenter(models.Model):
    """What bears costs, as the general ledger knows it. Others name it by its code."""

    code = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200, blank=True)
    gl_account = models.CharField(max_length=100, blank=True)
    owner_email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "cost_center"
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class TeamCostCenter(models.Model):
    """From that day on the team has this cost center ('' for none), until the next such day; before
    the first it has that of its own row."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="moves")
    cost_center = models.CharField(max_length=200, blank=True)
    effective_from = models.DateField()

    class Meta:
        db_table = "team_cost_center"
        constraints = (
            models.UniqueConstraint(
                fields=["team", "effective_from"], name="team_moves_once_a_day"
            ),
        )
        ordering = ("team", "effective_from")

    def __str__(self) -> str:
        return f"{self.team}: {self.cost_center} from {self.effective_from}"


class OwnershipRule(models.Model):
    """Usage with all of these values (dimension → value) on these days is this cost center's, where
    no rule of a lower position says so of another one.

    Days are of the reporting zone, `effective_to` is the first one that is not in it; None is open.
    `dimensions` are the keys of `conditions`, sorted.
    """

    position = models.PositiveIntegerField()
    conditions = models.JSONField()
    dimensions = ArrayField(models.TextField())
    cost_center = models.CharField(max_length=200)
    effective_from = models.DateField(null=True)
    effective_to = models.DateField(null=True)

    class Meta:
        db_table = "ownership_rule"
        constraints = (
            models.UniqueConstraint(
                fields=["position"],
                name="ownership_rule_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        )
        ordering = ("position",)

    def __str__(self) -> str:
        return f"{self.position}: {self.cost_center}"


class OwnershipUpload(models.Model):
    """A file of rules that somebody looks at before it takes the place of all rules."""

    text = models.TextField()
    made_by = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "ownership_upload"

    def __str__(self) -> str:
        return f"by {self.made_by}"


class OwnershipState(models.Model):
    """One row: how often rules have changed."""

    id = models.BooleanField(primary_key=True, default=True)
    version = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ownership_state"

    def __str__(self) -> str:
        return str(self.version)
