"""Who works with Farthing: what they may do, and whose usage they see."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from finops.models.taxonomy import Team


class Role(models.TextChoices):
    """What somebody may do; finops/access says what follows from it."""

    ADMINISTRATOR = "administrator", "Administrator"
    FINANCE = "finance", "Finance"
    ENGINEER = "engineer", "Engineer"
    VIEWER = "viewer", "Viewer"


class Account(models.Model):
    """One user's role. A user without one sees nothing, unless made a superuser in the shell."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="account"
    )
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        db_table = "person"

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class TeamMember(models.Model):
    """One user in one team: engineers and viewers see the usage of their teams."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="team_members"
    )

    class Meta:
        db_table = "team_member"
        constraints = (models.UniqueConstraint(fields=["team", "user"], name="team_member_once"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class AuditRecord(models.Model):
    """One administrative act: who did what to what, and how it was before and after.

    Append-only: the database refuses to change or delete a row. Names are copied, so that a record
    outlives whom and what it speaks of; secrets are never in it.
    """

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=200)  # a user name, or which program
    action = models.CharField(max_length=64, db_index=True)  # such as "key.revoke"
    subject = models.CharField(max_length=400)  # to what, in words: "fk_1a2b3c4d (support-bot)"
    team = models.CharField(max_length=200, blank=True)  # whose it is, where a team's
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    address = models.CharField(max_length=64, blank=True)  # the client's, where there is one

    class Meta:
        db_table = "audit_record"
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.subject}"


class Invitation(models.Model):
    """A link by which one person makes their own account. Only a digest of its token is kept."""

    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices)
    teams = models.ManyToManyField(Team, db_table="invitation_team", related_name="+")
    digest = models.BinaryField(max_length=32, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    sent_at = models.DateTimeField()  # when its present link was made
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "invitation"
        ordering = ("-sent_at", "-id")

    def __str__(self) -> str:
        return self.email
