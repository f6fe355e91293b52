"""Channels as people keep them: added, changed, stopped, removed, each act on record.

The record never has what opens the other side, only what `shown` says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from finops.channels import addresses, secrets, signing
from finops.models import Channel, Recipient
from finops.organisation.stored import Act, log

Kind = Channel.Kind
Why = Recipient.Why
TAKEN = "There is a channel of this name already."
BY_HAND = "by "
LOST_KEY = (
    "SECRET_KEY is not the one that this channel was stored under, so its key is lost too. Remove "
    "this channel and add it again, which makes a new key."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """`address` is a URL, or for e-mail addresses parted by commas, spaces or lines; "" leaves a
    URL as it is. `owners` are numbers of users."""

    name: str
    kind: str
    address: str = ""
    least_severity: str = "info"
    teams: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    owners: tuple[int, ...] = ()
    to_owner: bool = False
    quiet_from: time | None = None
    quiet_until: time | None = None
    zone: str = "UTC"
    quiet_passes: str = "critical"
    storm_after: int = 10
    storm_minutes: int = 10
    repeat_hours: int | None = None
    wants_summary: bool = False


BOUNDS = {"storm_after": (1, 1_000), "storm_minutes": (1, 1_440), "repeat_hours": (1, 168)}
PLAIN = (
    *("name", "least_severity", "to_owner", "quiet_from", "quiet_until", "zone", "quiet_passes"),
    *("storm_after", "storm_minutes", "repeat_hours"),
)


def everything() -> list[Channel]:
    """Of the organisation, not of single people."""
    found = Channel.objects.filter(removed_at=None, user=None)
    return list(found.prefetch_related("recipients", "owners"))


def get(number: int) -> Channel:
    """Raises Channel.DoesNotExist."""
    return Channel.objects.get(pk=number, removed_at=None, user=None)


def add(terms: Terms, act: Act) -> tuple[Channel, str]:
    """The channel, and of a webhook the key that its owner verifies with: the only time that it is
    told. Raises ValidationError by field."""
    _check(terms, is_new=True)
    key = signing.new_key() if terms.kind == Kind.WEBHOOK else ""
    channel = Channel(kind=terms.kind, created_at=act.at, created_by=act.by.get_username())
    _store(channel, terms, act, {"key": key} if key else {})
    log("channel.add", channel.name, act, after=described(channel))
    return channel, key


def change(channel: Channel, terms: Terms, act: Act) -> bool:
    """Whether anything changed. Raises ValidationError by field."""
    _check(terms, is_new=False)
    with transaction.atomic():
        held = Channel.objects.select_for_update().get(pk=channel.pk)
        before = described(held)
        is_signed = terms.address and held.kind == Kind.WEBHOOK
        _store(held, terms, act, _keys_of(held) if is_signed else {})
        after = described(held)
        if before == after:
            return False
        log("channel.change", held.name, act, before=before, after=after)
    return True


def _keys_of(channel: Channel) -> dict[str, str]:
    """Its secret but for the address. Raises ValidationError where that is lost: its owner has to
    be told another key."""
    try:
        secret = secrets.unseal(channel.secret)
    except secrets.Unreadable:
        raise ValidationError({"address": LOST_KEY}) from None
    return {name: held for name, held in secret.items() if name != "url"}


def renew_key(channel: Channel, act: Act, overlap: timedelta = timedelta(0)) -> str:
    """Another key for a webhook's signatures; so long the one before signs beside it, and one
    before that no more. Raises Unreadable."""
    with transaction.atomic():
        held = Channel.objects.select_for_update().get(pk=channel.pk, kind=Kind.WEBHOOK)
        key = signing.new_key()
        secret = signing.renewed(secrets.unseal(held.secret), key, act.at + overlap)
        held.secret = secrets.seal(secret if overlap else signing.without_former(secret))
        held.save(update_fields=["secret"])
        until = {"the key before signs until": (act.at + overlap).isoformat()} if overlap else {}
        log("channel.key", held.name, act, after=until)
    return key


def end_former_key(channel: Channel, act: Act) -> bool:
    """Sign with the newest key alone from now on. Raises Unreadable."""
    with transaction.atomic():
        held = Channel.objects.select_for_update().get(pk=channel.pk)
        secret = secrets.unseal(held.secret)
        if signing.former_until(secret, act.at) is None:
            return False
        held.secret = secrets.seal(signing.without_former(secret))
        held.save(update_fields=["secret"])
        log("channel.key.end", held.name, act)
    return True


def former_key_until(channel: Channel, now: datetime) -> datetime | None:
    """Until when the key before signs too; None where it does not, or the secret is lost."""
    try:
        return signing.former_until(secrets.unseal(channel.secret), now)
    except secrets.Unreadable:
        return None


def disable(channel: Channel, act: Act) -> bool:
    with transaction.atomic():
        held = Channel.objects.select_for_update().get(pk=channel.pk)
        if held.disabled_at:
            return False
        held.disabled_at, held.disabled_why = act.at, f"{BY_HAND}{act.by.get_username()}"
        held.save(update_fields=["disabled_at", "disabled_why"])
        log("channel.disable", held.name, act)
    return True


def word_of(channel: Channel) -> str:
    """Of one that is sent nothing: whether somebody has switched it off, or it was refused."""
    return "disabled" if channel.disabled_why.startswith(BY_HAND) else "stopped"


def enable(channel: Channel, act: Act) -> bool:
    """Try again, mailboxes that were refused too; what has waited is sent now."""
    with transaction.atomic():
        held = Channel.objects.select_for_update().get(pk=channel.pk)
        refused = Recipient.objects.filter(channel=held, stopped_why=Why.REFUSED)
        if not (held.disabled_at or refused.exists()):
            return False
        refused.update(stopped_at=None, stopped_why="", failures=0, held_until=None)
        held.disabled_at, held.disabled_why = None, ""
        held.last_error, held.last_error_at = "", None
        held.save()
        log("channel.enable", held.name, act)
    return True


def remove(channel: Channel, act: Act) -> None:
    """Its secret is forgotten; what it was told stays in the log."""
    with transaction.atomic():
        held = Channel.objects.select_for_update().get(pk=channel.pk)
        log("channel.remove", held.name, act, before=described(held))
        held.removed_at, held.secret, held.summary_since = act.at, b"", None
        held.save(update_fields=["removed_at", "secret", "summary_since"])


def _store(channel: Channel, terms: Terms, act: Act, keys: Mapping[str, str]) -> None:
    for name in PLAIN:
        setattr(channel, name, getattr(terms, name))
    channel.teams, channel.topics = sorted(terms.teams), sorted(terms.topics)
    if not terms.wants_summary:
        channel.summary_since = None
    elif channel.summary_since is None:
        channel.summary_since = act.at
    if terms.kind == Kind.EMAIL:
        found = addresses.mailboxes(terms.address)
        channel.shown = ", ".join(found)[:200]
    elif terms.address:
        url = terms.address.strip()
        channel.secret = secrets.seal({"url": url, **keys})
        is_service = terms.kind == Kind.APPRISE
        channel.shown = secrets.masked_service(url) if is_service else secrets.masked(url)
    try:
        with transaction.atomic():
            channel.save()
            channel.owners.set(User.objects.filter(pk__in=terms.owners))
            _keep_recipients(channel, terms, act.at)
    except IntegrityError:
        raise ValidationError({"name": TAKEN}) from None


def _keep_recipients(channel: Channel, terms: Terms, now: datetime) -> None:
    """Those who have unsubscribed stay so until they are taken off and put on again."""
    wanted = addresses.mailboxes(terms.address) if terms.kind == Kind.EMAIL else [""]
    held = {each.address: each for each in channel.recipients.all()}
    for address in wanted:
        recipient = held.get(address)
        if recipient is None:
            Recipient.objects.create(channel=channel, address=address)
        elif recipient.is_owner or recipient.stopped_why == Why.REMOVED:
            recipient.is_owner, recipient.stopped_at, recipient.stopped_why = False, None, ""
            recipient.save()
    gone = channel.recipients.filter(is_owner=False).exclude(address__in=wanted)
    gone.update(stopped_at=now, stopped_why=Why.REMOVED)


def _check(terms: Terms, *, is_new: bool) -> None:
    wrong = addresses.problems(terms.kind, terms.address, is_new=is_new, may_be_none=terms.to_owner)
    if not terms.name.strip():
        wrong["name"] = "Write what people call it."
    if (terms.quiet_from is None) != (terms.quiet_until is None):
        wrong["quiet_until"] = "Quiet hours need both a beginning and an end, or neither."
    for name, (least, most) in BOUNDS.items():
        number = getattr(terms, name)
        if number is not None and not least <= number <= most:
            wrong[name] = out_of_bounds(name)
    if wrong:
        raise ValidationError(wrong)


def out_of_bounds(name: str) -> str:
    least, most = BOUNDS[name]
    return f"Write a whole number from {least} to {most:,}."


def described(channel: Channel) -> Mapping[str, object]:
    """What the audit log may know."""
    plain = {name: getattr(channel, name) for name in PLAIN}
    times = {name: str(plain[name] or "") for name in ("quiet_from", "quiet_until")}
    owners = sorted(channel.owners.values_list("username", flat=True))
    return {
        **plain,
        **times,
        "kind": channel.kind,
        "address": channel.shown,
        "teams": channel.teams,
        "topics": channel.topics,
        "owners": owners,
        "weekly summary": channel.summary_since is not None,
    }


def terms_of(channel: Channel) -> Terms:
    """As a form begins with; without the address, but for mailboxes."""
    listed = channel.recipients.filter(is_owner=False).exclude(stopped_why=Why.REMOVED)
    mailboxes = [each.address for each in listed if each.address]
    return Terms(
        kind=channel.kind,
        address="\n".join(mailboxes),
        teams=tuple(channel.teams),
        topics=tuple(channel.topics),
        owners=tuple(channel.owners.values_list("pk", flat=True)),
        wants_summary=channel.summary_since is not None,
        **{name: getattr(channel, name) for name in PLAIN},
    )
