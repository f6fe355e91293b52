"""What providers billed, as their reports said it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class ExactField(models.DecimalField):  # type: ignore[type-arg]
    """A number with as many digits as it was said with."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"max_digits": 1_000, "decimal_places": 500} | options))

    def db_type(self, connection: Any) -> str:
        return "numeric"


class BillImport(models.Model):
    """One file or answer of a provider that was read. `terms` are what it was read with besides: a
    mapping of its columns, a day. `has_more`: the provider has further pages than these.
    `empty_days`: by provider, days of which its costs say that nothing was billed. `left_out`: how
    many lines are no inference, and what they come to by currency. One that is withdrawn is kept,
    and nothing of it holds."""

    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    terms = models.JSONField(default=dict)
    format = models.CharField(max_length=200)
    lines = models.PositiveIntegerField()
    has_more = models.BooleanField(default=False)
    empty_days = models.JSONField(default=dict)
    left_out = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "bill_import"
        indexes = (models.Index(fields=["sha256"], name="bill_import_sha256"),)
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.file_name


class BillLine(models.Model):
    """One line of a bill, as reconciliation.BillLine. In force until a later import says the same
    again, or says what there was on its day by other things: then that one is `superseded_by`. A
    line of an import that was withdrawn is superseded by that import itself.

    `identity` is the SHA-256 of what a later report of the same has in common with it.
    """

    bill_import = models.ForeignKey(BillImport, models.PROTECT, related_name="+", db_index=True)
    superseded_by = models.ForeignKey(
        BillImport, models.PROTECT, null=True, related_name="+", db_index=False
    )
    identity = models.CharField(max_length=64)
    provider = models.CharField(max_length=200)
    source = models.CharField(max_length=50)
    day = models.DateField()
    account = models.CharField(max_length=200)
    model = models.CharField(max_length=200)
    kind = models.CharField(max_length=50)
    detail = models.TextField()
    quantity = ExactField(null=True)
    amount = ExactField(null=True)
    currency = models.CharField(max_length=3)
    category = models.CharField(max_length=20)
    grouping = models.TextField()
    slot = models.CharField(max_length=5, default="")

    class Meta:
        db_table = "bill_line"
        constraints = (
            models.UniqueConstraint(
                fields=["identity"],
                condition=Q(superseded_by=None),
                name="bill_line_in_force_once",
            ),
        )
        indexes = (
            models.Index(fields=["day"], condition=Q(superseded_by=None), name="bill_line_day"),
            models.Index(fields=["identity"], name="bill_line_identity"),
        )

    def __str__(self) -> str:
        return f"{self.provider} {self.day} {self.model} {self.kind}"


class BillAccount(models.Model):
    """An account of a provider's bills (a project, a workspace, a key), and whose usage it is the
    bill of: that of a service or of a team."""

    provider = models.CharField(max_length=200)
    account = models.CharField(max_length=200)
    dimension = models.CharField(max_length=10)
    value = models.CharField(max_length=200)

    class Meta:
        db_table = "bill_account"
        constraints = (
            models.UniqueConstraint(fields=["provider", "account"], name="bill_account_once"),
        )
        ordering = ("provider", "account")

    def __str__(self) -> str:
        return f"{self.provider} {self.account}"
