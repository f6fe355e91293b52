"""The month's books: which months are closed, and what their statements said, for ever.

The database refuses to change or delete a statement: see finops/sql/statement_schema.sql.
"""

from __future__ import annotations

from django.db import models

from finops.models.budgets import ExactField


class BooksMonth(models.Model):
    """A month that was closed at least once; `version` is that of its newest statement.

    `month` is its first day in the reporting time zone. While somebody asks to have it reopened,
    the `reopen_` columns say who, when and why; another person decides.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"  # reopened
        CLOSED = "closed", "Closed"
        SENT = "sent", "Sent"

    month = models.DateField(unique=True)
    state = models.CharField(max_length=16, choices=State)
    version = models.PositiveIntegerField()
    sent_at = models.DateTimeField(null=True)
    sent_by = models.CharField(max_length=200, blank=True)
    sent_to = models.TextField(blank=True)
    reopen_asked_at = models.DateTimeField(null=True)
    reopen_asked_by = models.CharField(max_length=200, blank=True)
    reopen_reason = models.TextField(blank=True)

    class Meta:
        db_table = "books_month"
        ordering = ("month",)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class StatementVersion(models.Model):
    """What one closing of a month froze. `checksum` is the SHA-256 of its CSV file, in hex,
    `digest` of all else that is said here (finops.books.frozen.digest_of); '' before there was one.

    `totals` has every column of that file, `warnings` is name → words of what was accepted, and
    `capacity` is cost item → what was made of it, and its place in the order in which capacity was
    used: numbers are text, as JSON's have too few digits. `adjustments` says of each part of a
    line's adjustment of which month and version it is, and why; `charges` and `shares` what was
    shared out, and how. `centers` is code → {"name", "gl_account", "owner_email"} as they were
    then.
    """

    month = models.DateField()
    version = models.PositiveIntegerField()
    closed_at = models.DateTimeField()
    closed_by = models.CharField(max_length=200)
    checksum = models.CharField(max_length=64)
    digest = models.CharField(max_length=70, default="")
    currency = models.CharField(max_length=3)
    rolled_up_to = models.DateTimeField(null=True)
    totals = models.JSONField()
    warnings = models.JSONField(default=dict)
    capacity = models.JSONField(default=dict)
    adjustments = models.JSONField(default=list)
    charges = models.JSONField(default=list)
    shares = models.JSONField(default=list)
    kinds = models.JSONField(default=dict)
    centers = models.JSONField(default=dict)

    class Meta:
        db_table = "statement_version"
        ordering = ("month", "version")
        constraints = (
            models.UniqueConstraint(fields=("month", "version"), name="statement_version_number"),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} version {self.version}"


class StatementLine(models.Model):
    """What one line bears. Money is exact, in the statement's currency. Lines are written in the
    order of their keys, which is that of the file: `id` keeps it."""

    # No constraint: neither of both is ever deleted. No index: it begins the one below.
    statement = models.ForeignKey(
        StatementVersion,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="lines",
    )
    cost_center = models.TextField()
    team = models.TextField(blank=True)
    feature = models.TextField(blank=True)
    provider = models.TextField(blank=True)
    model = models.TextField(blank=True)
    requests = models.BigIntegerField()
    unpriced_requests = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    direct_cost = ExactField()
    shared_cost = ExactField()
    idle_cost = ExactField()
    adjustment = ExactField()

    class Meta:
        db_table = "statement_line"
        indexes = (models.Index(fields=("statement", "id"), name="statement_line_in_order"),)


class ClosedMonthChange(models.Model):
    """How much more a closed month comes to now than its statements say, kept until something that
    it follows from has changed: `mark` is then another one. May be emptied at any time.

    `direct` is [line's key, requests, cost] of each line that differs, `charged` is commitment or
    fleet → cost center → amount; numbers are text, as JSON's have too few digits.
    """

    month = models.DateField(unique=True)
    mark = models.CharField(max_length=64)
    direct = models.JSONField()
    charged = models.JSONField()

    class Meta:
        db_table = "closed_month_change"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class JournalAccounts(models.Model):
    """The accounts that a statement's journal was first made with: it stays the same from then on.
    `accounts` has the fields of finops.exports.journal.Accounts."""

    # No constraint: neither of both is ever deleted.
    statement = models.OneToOneField(StatementVersion, models.DO_NOTHING, db_constraint=False)
    accounts = models.JSONField()
    fixed_at = models.DateTimeField()

    class Meta:
        db_table = "journal_accounts"

    def __str__(self) -> str:
        return f"of {self.statement_id}"


class StatementUsage(models.Model):
    """What the requests of one day and line, with equal labels, used at the same price lines and
    exchange rates: what a closed month's file by prices is made of. Costs are in the statement's
    currency; price lines and rates are never changed. Requests without a price are in none.
    """

    # No constraint: neither of both is ever deleted.
    statement = models.ForeignKey(
        StatementVersion,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="usage",
    )
    day = models.DateField()
    cost_center = models.TextField()
    team = models.TextField()
    feature = models.TextField()
    provider = models.TextField()
    model = models.TextField()
    service = models.TextField(blank=True)
    environment = models.TextField(blank=True)
    region = models.TextField(blank=True)
    service_tier = models.TextField(blank=True)
    fleet = models.TextField(blank=True)
    tags = models.JSONField()
    price_id = models.IntegerField()
    contract_price_id = models.IntegerField(null=True)
    fixing_id = models.IntegerField(null=True)
    uncached_input = models.BigIntegerField()
    cache_read_input = models.BigIntegerField()
    cache_creation_5m_input = models.BigIntegerField()
    cache_creation_1h_input = models.BigIntegerField()
    input_audio = models.BigIntegerField()
    text_output = models.BigIntegerField()
    reasoning_output = models.BigIntegerField()
    output_audio = models.BigIntegerField()
    gpu_seconds = ExactField()
    requests = models.BigIntegerField()
    list_cost = ExactField()
    effective_cost = ExactField()

    class Meta:
        db_table = "statement_usage"
        indexes = (models.Index(fields=("statement", "id"), name="statement_usage_in_order"),)
