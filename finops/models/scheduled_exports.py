"""Exports that go out by themselves: what is sent where and when, and every time it was."""

from __future__ import annotations

from django.db import models


class ExportSchedule(models.Model):
    """A file of a month, sent to mailboxes or put into a bucket on each of its occasions.

    `secret` has the keys of the bucket, sealed by finops.channels.secrets. Occasions before `since`
    are none of its own. A removed one stays as a row, without its secret, for its runs.
    """

    class Format(models.TextChoices):
        CSV = "csv", "Allocation as CSV"
        XLSX = "xlsx", "Allocation as Excel workbook"
        FOCUS = "focus", "FOCUS CSV"

    class Occasion(models.TextChoices):
        CLOSE = "close", "Each time that a month is closed"
        MONTHLY = "monthly", "Once a month, the month before"
        DAILY = "daily", "Every day, the month so far"

    class Destination(models.TextChoices):
        EMAIL = "email", "E-mail"
        BUCKET = "bucket", "S3-compatible bucket"

    name = models.CharField(max_length=100)
    format = models.CharField(max_length=16, choices=Format)
    occasion = models.CharField(max_length=16, choices=Occasion)
    day = models.PositiveSmallIntegerField(null=True)  # of the month, where it is monthly
    hour = models.PositiveSmallIntegerField(default=6)  # of the reporting zone
    destination = models.CharField(max_length=16, choices=Destination)
    addresses = models.JSONField(default=list)
    endpoint = models.CharField(max_length=500, blank=True)  # '': that of AWS in this region
    region = models.CharField(max_length=64, blank=True)
    bucket = models.CharField(max_length=63, blank=True)
    prefix = models.CharField(max_length=500, blank=True)
    path_style = models.BooleanField(default=False)  # host/bucket/key, and not bucket.host/key
    access_key_id = models.CharField(max_length=128, blank=True)
    secret = models.BinaryField(default=b"")
    since = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    paused_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "export_schedule"
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(removed_at__isnull=True),
                name="export_schedule_name_once",
            ),
        )

    def __str__(self) -> str:
        return self.name


class ExportRun(models.Model):
    """One occasion, once: the file of a month, and what became of sending it.

    `version` is that of the statement that is sent; None: the month as it stands then. Whoever
    sends it holds it by `leased_until`. `reached` are the mailboxes that have it already.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "not sent"

    schedule = models.ForeignKey(ExportSchedule, models.PROTECT, related_name="runs")
    occasion = models.CharField(max_length=64)
    month = models.DateField()
    version = models.PositiveIntegerField(null=True)
    due_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200, blank=True)  # '': it was its time
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    died = models.PositiveSmallIntegerField(default=0)  # how often in a row nobody came back
    ended_at = models.DateTimeField(null=True)
    reached = models.JSONField(default=list)
    file_name = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(null=True)  # bytes
    sha256 = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)  # of the last attempt

    class Meta:
        db_table = "export_run"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["schedule", "occasion"], name="export_run_once"),
        )
        indexes = (
            models.Index(
                fields=["next_at"],
                name="export_run_open",
                condition=models.Q(state__in=("waiting", "sending")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.occasion}: {self.state}"
