"""Alerts: what was noticed, once, and what became of telling it."""

from __future__ import annotations

from django.db import models


class Alert(models.Model):
    """Something that somebody has to know. `key` is what makes it fire once, whoever notices it.

    `facts` are what finops.alerts says of its kind; `thread` names the conversation that it belongs
    to, in which mails answer each other.
    """

    class Kind(models.TextChoices):
        BUDGET_ACTUAL = "budget_actual", "Spent"
        BUDGET_FORECAST = "budget_forecast", "Forecast"
        BUDGET_BURN_RATE = "budget_burn_rate", "Burn rate"
        BUDGET_UNPRICED = "budget_unpriced", "Unpriced requests"
        BUDGET_LATE_USAGE = "budget_late_usage", "Late usage"
        BUDGET_INCREASE = "budget_increase", "Budget increase"
        ANOMALY = "anomaly", "Anomaly"
        USER = "user", "Unusual user"
        PIPELINE_STALE = "pipeline_stale", "Figures are stale"
        PIPELINE_RECOVERED = "pipeline_recovered", "Figures are fresh again"
        CHANNEL_STOPPED = "channel_stopped", "Channel stopped"
        EXPORT_NOT_SENT = "export_not_sent", "Export not sent"
        ANSWER = "answer", "Answer to an alert"
        SUMMARY = "summary", "Weekly summary"
        TEST = "test", "Test"

    class Severity(models.TextChoices):
        NOTE = "note", "Note"
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    key = models.CharField(max_length=500, unique=True)
    kind = models.CharField(max_length=24, choices=Kind)
    severity = models.CharField(max_length=16, choices=Severity)
    title = models.TextField()
    facts = models.JSONField(default=dict)
    budget = models.ForeignKey(
        "finops.Budget", on_delete=models.SET_NULL, null=True, related_name="alerts"
    )
    team = models.CharField(max_length=200, blank=True)  # who may see it; '': who sees all
    thread = models.CharField(max_length=500, db_index=True)
    raised_at = models.DateTimeField(db_index=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    acknowledged_reason = models.TextField(blank=True)

    class Meta:
        db_table = "alert"
        ordering = ("-raised_at", "-id")

    def __str__(self) -> str:
        return self.title


class Snooze(models.Model):
    """Nothing of a conversation is sent before `until`; what waits then goes out.

    What is critical is sent all the same where whoever snoozed does not decide on budgets.
    """

    thread = models.CharField(max_length=500, db_index=True)
    until = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    spares_critical = models.BooleanField(default=False)

    class Meta:
        db_table = "snooze"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.thread} until {self.until:%Y-%m-%d %H:%M}"


class Delivery(models.Model):
    """One alert on its way to one recipient: a row of the outbox.

    Several that went out as one message name the first of them as `leader`, which has the attempts.
    `message_id` is fixed before the first attempt and stays, so that a second copy can be told.
    `turn` counts reminders of the same alert.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "not sent"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.ForeignKey(
        "finops.Recipient", on_delete=models.CASCADE, related_name="deliveries"
    )
    turn = models.PositiveSmallIntegerField(default=0)
    leader = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, related_name="followers"
    )
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    message_id = models.CharField(max_length=100, blank=True)
    sent_at = models.DateTimeField(null=True)
    detail = models.TextField(blank=True)  # why it waits, or was not sent

    class Meta:
        db_table = "alert_delivery"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["alert", "recipient", "turn"], name="alert_delivery_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["recipient", "due_at"],
                name="alert_delivery_open",
                condition=models.Q(state__in=("waiting", "sending")),
            ),
            models.Index(fields=["recipient", "sent_at"], name="alert_delivery_sent"),
        )

    def __str__(self) -> str:
        return f"alert {self.alert_id} to {self.recipient_id}: {self.state}"


class DeliveryAttempt(models.Model):
    """One attempt, written down before it begins: one without an end was interrupted, and may have
    arrived all the same."""

    class Outcome(models.TextChoices):
        STARTED = "started", "interrupted"
        SENT = "sent", "sent"
        LATER = "later", "tried again later"
        REFUSED = "refused", "refused"
        GONE = "gone", "refused for good"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.STARTED)
    status = models.PositiveSmallIntegerField(null=True)  # of HTTP or SMTP
    detail = models.TextField(blank=True)

    class Meta:
        db_table = "alert_delivery_attempt"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M:%S} {self.outcome}"
