"""The form of a channel, one for each kind; what it may say is decided by finops.channels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.forms import BoundField

from finops import teams
from finops.alerts.routing import TOPICS
from finops.channels import keeping, other
from finops.channels.keeping import Terms
from finops.models import Alert, Channel

Kind = Channel.Kind
SEVERITIES = Alert.Severity.choices
ADDRESSES = {
    Kind.EMAIL: ("Addresses", "One a line. Each gets mails of its own and can unsubscribe."),
    Kind.SLACK: (
        "Address of the incoming webhook",
        "Make one at api.slack.com/apps, Incoming Webhooks: https://hooks.slack.com/services/…",
    ),
    Kind.WEBHOOK: (
        "Address",
        "https://… on the Internet{inside}. Requests are signed; the key is shown once, after "
        "saving.",
    ),
    Kind.APPRISE: (
        "Address as apprise writes it",
        f"Such as discord://…; one of {', '.join(sorted(other.SERVICES))}.",
    ),
}
GROUPS = (
    ("", ("name", "address", "to_owner")),
    ("Which alerts", ("least_severity", "topics", "teams", "owners", "wants_summary")),
    ("Quiet hours", ("quiet_from", "quiet_until", "zone", "quiet_passes")),
    ("How often", ("storm_after", "storm_minutes", "repeat_hours")),
)


def inside() -> str:
    """What may be sent to besides."""
    named = ", ".join(map(str, settings.ALLOWED_PRIVATE_ADDRESSES))
    return f", or http:// and https:// at any port of {named}" if named else ""


def within(name: str) -> dict[str, Any]:
    """The bounds of a number, and the sentence about them."""
    least, most = keeping.BOUNDS[name]
    said = keeping.out_of_bounds(name)
    return {
        "min_value": least,
        "max_value": most,
        "error_messages": {"min_value": said, "max_value": said, "invalid": said},
    }


class ChannelForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What people call it: Finance, #llm-costs.")
    address = forms.CharField(required=False, max_length=20_000)
    to_owner = forms.BooleanField(
        required=False,
        label="Mail the owner of the budget too",
        help_text="At the address of their account.",
    )
    least_severity = forms.ChoiceField(
        choices=SEVERITIES, initial="info", label="From this severity on"
    )
    topics = forms.MultipleChoiceField(
        choices=list(TOPICS.items()),
        required=False,
        label="About",
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: about everything.",
    )
    teams = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Alerts of these teams alone. None chosen: of all, and of no team.",
    )
    owners = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        required=False,
        label="Owners of budgets",
        widget=forms.CheckboxSelectMultiple,
        help_text="Alerts of their budgets alone. None chosen: whoever the owner is.",
    )
    wants_summary = forms.BooleanField(
        required=False,
        label="Send the weekly summary of spend",
        help_text="On Mondays, of the teams above, or of the whole organisation.",
    )
    quiet_from = forms.TimeField(
        required=False, label="From", widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        required=False,
        label="Until",
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text="What comes meanwhile is sent when they end. Empty: no quiet hours.",
    )
    zone = forms.ChoiceField(label="In the time of")
    quiet_passes = forms.ChoiceField(
        choices=SEVERITIES, initial="critical", label="Sent all the same from"
    )
    storm_after = forms.IntegerField(**within("storm_after"), initial=10, label="At most")
    storm_minutes = forms.IntegerField(
        **within("storm_minutes"),
        initial=10,
        label="messages in, minutes",
        help_text="What is more comes as one message that lists it, at most every minute.",
    )
    repeat_hours = forms.IntegerField(
        **within("repeat_hours"),
        required=False,
        label="Remind after, hours",
        help_text="Of critical alerts until somebody acknowledges them. Empty: never.",
    )

    def __init__(self, *args: Any, kind: str, shown: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.shown = kind, shown
        address = self.fields["address"]
        address.label, help_text = ADDRESSES[Kind(kind)]
        address.help_text = help_text.replace("{inside}", inside())
        if kind == Kind.EMAIL:
            address.widget = forms.Textarea({"rows": 4})
        else:
            del self.fields["to_owner"]
            if shown:
                address.help_text = f"Empty: it stays {shown}. {address.help_text}"
        chosen = (self.initial or {}).get("teams", ())
        self.fields["teams"].choices = teams.choices(chosen)  # type: ignore[attr-defined]
        zones = [(name, name) for name in sorted(available_timezones())]
        self.fields["zone"].choices = zones  # type: ignore[attr-defined]
        self.fields["zone"].initial = settings.REPORTING_ZONE.key
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")

    def clean_address(self) -> str:
        """Said beside other mistakes; what else is wrong with it, finops.channels tells."""
        address: str = self.cleaned_data["address"].strip()
        if not address and self.kind != Kind.EMAIL and not self.shown:
            raise forms.ValidationError("Paste the whole address.")
        return address

    def groups(self) -> Iterator[tuple[str, list[BoundField]]]:
        """Title and fields, as they stand on the page."""
        for title, names in GROUPS:
            yield title, [self[name] for name in names if name in self.fields]

    def terms(self) -> Terms:
        chosen: dict[str, Any] = {**self.cleaned_data}
        chosen["owners"] = tuple(each.pk for each in chosen["owners"])
        for name in ("teams", "topics"):
            chosen[name] = tuple(chosen[name])
        return Terms(kind=self.kind, **chosen)


class KeyForm(forms.Form):
    """Whether the key that a webhook is signed with now goes on signing for a while."""

    days = forms.TypedChoiceField(
        choices=(
            (1, "For a day"),
            (7, "For a week"),
            (30, "For 30 days"),
            (0, "Not at all: it is used no more from this moment on"),
        ),
        coerce=int,
        initial=1,
        label="The key before goes on signing beside the new one",
        help_text="Long enough to give every receiver the new key; not at all, if it has leaked.",
    )

    def overlap(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])
