"""The forms of the Keys desk; what they may say is decided by finops.ingest_keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings

from finops import access, ingest_keys
from finops.access import Reader
from finops.ingest_keys import Terms

OVERLAP_OFFERED = timedelta(days=7)
PER_PROCESS = (
    "Empty does not limit. Counted by each ingest process for itself: behind two of them, a key "
    "may send twice as many. What is sent at once is refilled evenly."
)


class KeyForm(forms.Form):
    """Engineers choose one of their teams; who sees all teams may name any, or none."""

    name = forms.CharField(required=False, max_length=200, help_text="What people call it.")
    service = forms.CharField(
        max_length=200,
        help_text="Who sends with it. The same event id from one service counts once, whichever "
        "of its keys it came with.",
    )
    environment = forms.CharField(
        required=False, max_length=200, help_text="Of events that name none: production, staging…"
    )
    events_per_minute = forms.IntegerField(required=False, help_text=PER_PROCESS)
    events_per_day = forms.IntegerField(required=False, help_text="Empty does not limit.")

    field_order = ("name", "service", "team", "environment", "events_per_minute", "events_per_day")

    def __init__(self, *args: Any, reader: Reader, is_made: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"] = _team_field(reader)
        self.order_fields(self.field_order)
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"
        if is_made:
            service = self.fields["service"]
            service.disabled = True
            service.help_text = (
                "Stays: it is what makes an event count once. Another service takes another key."
            )

    def terms(self) -> Terms:
        return Terms(**self.cleaned_data)


def _team_field(reader: Reader) -> forms.Field:
    help_text = "Whose the key is, and whose are its events that name no team."
    teams = access.standing(reader).teams
    if teams is not None:
        own = [(team, team) for team in sorted(teams)]
        return forms.ChoiceField(choices=own, help_text=help_text)
    known = forms.TextInput(attrs={"list": "teams"})
    return forms.CharField(required=False, max_length=200, widget=known, help_text=help_text)


class RotateForm(forms.Form):
    until = forms.DateTimeField(
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": "Write a date and a time, such as 2026-10-31 18:00."},
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        until = self.fields["until"]
        until.initial = now + OVERLAP_OFFERED
        days, zone = ingest_keys.LONGEST_OVERLAP.days, now.astimezone(settings.REPORTING_ZONE)
        until.label = f"The old key works until ({zone:%Z})"
        until.help_text = f"At most {days} days from now. Then it stops by itself."


class RevokeForm(forms.Form):
    reason = forms.CharField(required=False, max_length=1000, help_text="For the audit log.")
