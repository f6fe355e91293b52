"""What is done for the privacy of end users."""

from __future__ import annotations

from django.db import models


class Erasure(models.Model):
    """One end user's history made anonymous, and the certificate of it.

    `name` and `hashed_name` are empty from the moment it has finished. Sums are text, exact to the
    last digit.
    """

    name = models.TextField()
    hashed_name = models.TextField(blank=True)  # the same as a keyed hash; '' where it is one
    user_id = models.IntegerField()  # of end_user, which stays, under the name `label`
    label = models.CharField(max_length=40, unique=True)
    is_everywhere = models.BooleanField()  # also where other records mention the name as a word
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)  # when the search began: `steps` is known from then
    finished_at = models.DateTimeField(null=True)
    # Tables, then UTC days of events, in the order in which they are searched; `done` of them are.
    steps = models.JSONField(default=list)
    done = models.IntegerField(default=0)
    sums_before = models.JSONField(default=dict)  # of "events" and of "rollups": name → sum
    sums_after = models.JSONField(default=dict)
    searched = models.JSONField(default=list)  # table.column
    changed = models.JSONField(default=dict)  # table → rows changed
    remaining = models.JSONField(default=dict)  # table.column → rows that have it as a word
    within_words = models.JSONField(default=dict)  # table.column → rows that have it in longer ones
    notes = models.JSONField(default=list)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the certificate

    class Meta:
        db_table = "erasure"
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.label


class NameHashing(models.Model):
    """The one row that says how names of users are stored; without it they are in the clear.

    ingest/user_names.py says what each state means.
    """

    class State(models.TextChoices):
        OFF = "off", "In the clear"
        ANNOUNCED = "announced", "Hashes are being prepared"
        CONVERTING = "converting", "Names are being converted"
        ON = "on", "As keyed hashes"

    id = models.SmallIntegerField(primary_key=True, default=1)
    state = models.CharField(max_length=16, choices=State.choices)
    key_check = models.CharField(max_length=64)  # of the key that names were hashed with last
    changed_at = models.DateTimeField()  # when somebody turned it on or off
    converting_since = models.DateTimeField(null=True)
    converted_to = models.IntegerField(default=0)  # users up to this number are converted

    class Meta:
        db_table = "name_hashing"
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="name_hashing_once"),)

    def __str__(self) -> str:
        return self.get_state_display()
