"""The form of a scheduled export; what it may say is decided by finops.scheduled_exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from finops.models import ExportSchedule
from finops.scheduled_exports import terms
from finops.scheduled_exports.terms import Terms

Destination = ExportSchedule.Destination
OWN = {
    Destination.EMAIL: ("addresses",),
    Destination.BUCKET: (
        *("bucket", "prefix", "region", "endpoint", "path_style"),
        *("access_key_id", "secret_access_key"),
    ),
}
EVERY = ("name", "format", "occasion", "day", "hour")
PLACEHOLDERS = {"endpoint": "https://minio.example.org", "region": "eu-central-1"}


class ExportForm(forms.Form):
    name = forms.CharField(
        required=False, max_length=100, help_text="What mails and the log call it."
    )
    format = forms.ChoiceField(label="What", choices=ExportSchedule.Format.choices)
    occasion = forms.ChoiceField(label="When", choices=ExportSchedule.Occasion.choices)
    day = forms.CharField(
        required=False, label="Day of the month", help_text="From 1 to 28, of what is monthly."
    )
    hour = forms.CharField(
        required=False,
        initial="6",
        label="Hour",
        help_text="From 0 to 23, of what is monthly or daily, in the reporting time zone.",
    )
    addresses = forms.CharField(
        required=False,
        label="Addresses",
        widget=forms.Textarea({"rows": 4}),
        help_text="One a line. Each gets a mail of its own, with the file up to 7 MB.",
    )
    bucket = forms.CharField(required=False, label="Bucket")
    prefix = forms.CharField(  # type: ignore[assignment]  # a form's own is of its class
        required=False,
        label="Folder",
        help_text="Within it files lie in folders by month: farthing/month=2026-10/…",
    )
    region = forms.CharField(required=False, label="Region")
    endpoint = forms.CharField(
        required=False,
        label="Endpoint",
        help_text="Empty: that of AWS. A server within your network has to be in "
        "FARTHING_ALLOWED_PRIVATE_ADDRESSES.",
    )
    path_style = forms.BooleanField(
        required=False,
        label="The bucket is in the path, not in the host's name",
        help_text="As most servers want it that are not AWS.",
    )
    access_key_id = forms.CharField(required=False, label="Access key ID")
    secret_access_key = forms.CharField(
        required=False,
        label="Secret access key",
        strip=True,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="Kept encrypted, and shown never again. It needs s3:PutObject alone.",
    )

    def __init__(
        self,
        destination: str,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        held = {**(initial or {})}
        held["addresses"] = "\n".join(held.get("addresses", ()))
        super().__init__(data, initial=held)
        self.destination, self.is_new = destination, initial is None
        own = OWN[Destination(destination)]
        for name in set(self.fields) - {*EVERY, *own}:
            del self.fields[name]
        for name, text in PLACEHOLDERS.items():
            if name in self.fields:
                self.fields[name].widget.attrs["placeholder"] = text
        if not self.is_new and "secret_access_key" in self.fields:
            self.fields["secret_access_key"].help_text = "Empty: it stays as it is."
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")

    def terms(self) -> Terms | None:
        """None where the form says what is wrong."""
        if not self.is_valid():
            return None
        given = {name: value for name, value in self.cleaned_data.items() if value != ""}
        if given["occasion"] != ExportSchedule.Occasion.MONTHLY:
            given.pop("day", None)
        try:
            return terms.read({**given, "destination": self.destination}, is_new=self.is_new)
        except ValidationError as error:
            self.show(error)
        return None

    def show(self, problem: ValidationError) -> None:
        for name, texts in problem.message_dict.items():
            self.add_error(name if name in self.fields else None, texts)
