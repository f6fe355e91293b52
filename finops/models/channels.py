"""Where alerts go: channels, and the mailboxes or the one address behind each."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from finops.models.alerts import Alert


class Channel(models.Model):
    """One way to tell people: which alerts it takes, and when it keeps silent.

    What opens the other side (addresses with tokens, signing keys) is in `secret`, encrypted by
    finops.channels.secrets; `shown` is what may be seen of it. A removed channel stays as a row, so
    that the log of alerts can name it, without its secret.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"
        APPRISE = "apprise", "Other service"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=Kind)
    secret = models.BinaryField(default=b"")
    shown = models.CharField(max_length=200, blank=True)
    # Whose own it is; then only they are told, of what they may see.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    # Which alerts: empty lists mean all.
    least_severity = models.CharField(
        max_length=16, choices=Alert.Severity, default=Alert.Severity.INFO
    )
    teams = models.JSONField(default=list)
    topics = models.JSONField(default=list)
    owners = models.ManyToManyField(
        settings.AUTH_USER_MODEL, db_table="channel_owner", related_name="+"
    )
    to_owner = models.BooleanField(default=False)  # mails go to the owner of the budget too
    # Held until the morning, in `zone`, unless at least as severe as `quiet_passes`.
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    zone = models.CharField(max_length=64, default="UTC")
    quiet_passes = models.CharField(
        max_length=16, choices=Alert.Severity, default=Alert.Severity.CRITICAL
    )
    # More messages than this within so many minutes become one that lists them.
    storm_after = models.PositiveSmallIntegerField(default=10)
    storm_minutes = models.PositiveSmallIntegerField(default=10)
    # A critical alert that nobody acknowledges is sent again; None: never.
    repeat_hours = models.PositiveSmallIntegerField(null=True)
    summary_since = models.DateTimeField(null=True)  # wants the weekly summary since then
    # How often in a row it could not be made, and before when nobody tries it (again).
    summary_failures = models.PositiveSmallIntegerField(default=0)
    summary_held_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.TextField(blank=True)
    removed_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "channel"
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(removed_at__isnull=True, user__isnull=True),
                name="channel_name_once",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(removed_at__isnull=True),
                name="channel_of_user_once",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Recipient(models.Model):
    """One mailbox of an e-mail channel, or the one place of another; `address` is '' there.

    Whoever sends to it holds it by `leased_until`, so that it is told one thing after the other; if
    they die, somebody else takes over then. After a failure nothing is sent before `held_until`.
    """

    class Why(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"
        REFUSED = "refused", "refused for good"
        REMOVED = "removed", "taken off the channel"

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="recipients")
    address = models.CharField(max_length=254, blank=True)
    # Of a budget, and told for that reason: of that budget only.
    is_owner = models.BooleanField(default=False)
    stopped_at = models.DateTimeField(null=True)
    stopped_why = models.CharField(max_length=16, choices=Why, blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    held_until = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "channel_recipient"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["channel", "address"], name="channel_recipient_once"),
        )

    def __str__(self) -> str:
        return self.address or str(self.channel)
