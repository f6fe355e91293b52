"""Ingest keys: made, changed, rotated and revoked by whoever may; each act is on the audit log.

`by` is a user, who reaches the keys of the teams that they see, or the name of a program of
whoever holds the machine, which reaches all of them. What is refused raises Refused with the field
that is wrong; a key out of reach is IngestKey.DoesNotExist, whether there is one or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from finops import access, audit, locks
from finops.access import Ability, Reader
from finops.locks import Lock
from finops.models import IngestKey, KeyRefusal
from ingest import keys

LONGEST = 200
LONGEST_OVERLAP = timedelta(days=30)
MOST_EVENTS = 2_000_000_000
REFUSALS_SHOWN = timedelta(hours=24)


class Refused(ValueError):
    """What cannot be done: the field that is wrong ('' for none of them) and a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class Terms(NamedTuple):
    """What people say of a key. Events take service, team and environment from it where they name
    none; limits are of each ingest process, and None does not limit."""

    service: str
    name: str = ""
    team: str = ""
    environment: str = ""
    events_per_minute: int | None = None
    events_per_day: int | None = None


class State(Enum):
    IN_USE = "In use"
    STOPPING = "Being replaced"  # works until its stops_at
    STOPPED = "Replaced"
    REVOKED = "Revoked"

    @property
    def is_over(self) -> bool:
        return self in {State.STOPPED, State.REVOKED}


class NewKey(NamedTuple):
    """`text` is known here and now and never again."""

    key: IngestKey
    text: str


def state(key: IngestKey, now: datetime) -> State:
    if key.revoked_at:
        return State.REVOKED
    if key.stops_at:
        return State.STOPPED if key.stops_at <= now else State.STOPPING
    return State.IN_USE


def why_not(key: IngestKey, now: datetime, *, rotate: bool = False) -> str:
    """Why the key cannot be changed (or rotated) any more; "" where it can."""
    if state(key, now).is_over:
        return "This key does not work any more. Make a new one."
    if rotate and key.stops_at:
        return "This key is being replaced already: rotate the one after it."
    return ""


def reachable(by: Reader | str) -> QuerySet[IngestKey]:
    """The keys that `by` may see and change."""
    if isinstance(by, str):
        return IngestKey.objects.all()
    found = access.standing(by)
    if not found.may(Ability.MANAGE_KEYS):
        return IngestKey.objects.none()
    if found.teams is None:
        return IngestKey.objects.all()
    return IngestKey.objects.filter(team__in=found.teams)


def make(terms: Terms, *, by: Reader | str, now: datetime, address: str = "") -> NewKey:
    """A new key. Its service is its source: keys of one service count an event once."""
    terms = _checked(terms, by)
    with transaction.atomic():
        # Two teams that take one name at once: the second waits here and then finds it taken.
        locks.hold(Lock.SERVICES)
        _require_free(terms.service, by)
        made = _create(terms, by)
        audit.record(
            "key.create",
            subject(made.key),
            at=now,
            by=by,
            team=made.key.team,
            after=terms._asdict(),
            address=address,
        )
    return made


def change(
    prefix: str, terms: Terms, *, by: Reader | str, now: datetime, address: str = ""
) -> IngestKey:
    """Another name, team, environment or limits. The service stays: it is what makes the events
    of the key count once."""
    with transaction.atomic():
        key = _usable(prefix, by, now)
        before = terms_of(key)._asdict()
        after = _checked(terms._replace(service=key.service), by)._asdict()
        changed = [field for field in before if before[field] != after[field]]
        if changed:
            audit.record(
                "key.change",
                subject(key),
                at=now,
                by=by,
                team=key.team,
                before={field: before[field] for field in changed},
                after={field: after[field] for field in changed},
                address=address,
            )
            for field in changed:
                setattr(key, field, after[field])
            key.save(update_fields=changed)
    return key


def rotate(
    prefix: str, until: datetime, *, by: Reader | str, now: datetime, address: str = ""
) -> NewKey:
    """A new key of the same source on the same terms; the old one stops by itself at `until`."""
    if not now < until <= now + LONGEST_OVERLAP:
        days = LONGEST_OVERLAP.days
        raise Refused("until", f"Choose a moment from now on and at most {days} days ahead.")
    with transaction.atomic():
        key = _usable(prefix, by, now)
        if why := why_not(key, now, rotate=True):
            raise Refused("", why)
        made = _create(terms_of(key), by)
        key.stops_at, key.replaced_by = until, made.key
        key.save(update_fields=["stops_at", "replaced_by"])
        audit.record(
            "key.rotate",
            subject(key),
            at=now,
            by=by,
            team=key.team,
            before={"stops_at": None},
            after={"stops_at": until.isoformat(), "replaced_by": made.key.prefix},
            address=address,
        )
    return made


def revoke(
    prefix: str, *, by: Reader | str, now: datetime, address: str = "", reason: str = ""
) -> bool:
    """End the key; ingest refuses it within 5 s. False where it was revoked already."""
    with transaction.atomic():
        key = reachable(by).select_for_update().get(prefix=prefix)
        if key.revoked_at:
            return False
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        said = {"team": key.team, "reason": reason, "address": address}
        audit.record_revocation("key.revoke", subject(key), at=now, by=by, **said)
    return True


def refused_requests(keys_shown: Iterable[IngestKey], now: datetime) -> Mapping[int, int]:
    """Key id → requests that its limits refused within the last 24 hours, to the hour."""
    since = (now - REFUSALS_SHOWN).replace(minute=0, second=0, microsecond=0)
    shown = KeyRefusal.objects.filter(key__in=[key.pk for key in keys_shown], hour__gte=since)
    return dict(shown.values_list("key").annotate(sum=Sum("requests")).values_list("key", "sum"))


def subject(key: IngestKey) -> str:
    """What the audit log calls a key."""
    return f"{key.prefix} ({key.service})"


def terms_of(key: IngestKey) -> Terms:
    return Terms(*(getattr(key, field) for field in Terms._fields))


def _usable(prefix: str, by: Reader | str, now: datetime) -> IngestKey:
    """The key, locked; Refused where it is over, for what is over stays as it was."""
    key = reachable(by).select_for_update().get(prefix=prefix)
    if why := why_not(key, now):
        raise Refused("", why)
    return key


def _create(terms: Terms, by: Reader | str) -> NewKey:
    made = keys.generate()
    maker = by if isinstance(by, User) else None
    key = IngestKey.objects.create(
        prefix=made.prefix, digest=made.digest, created_by=maker, **terms._asdict()
    )
    return NewKey(key, made.text)


def _checked(terms: Terms, by: Reader | str) -> Terms:
    """The terms without blanks around them, as `by` may set them; raises Refused."""
    texts = {field: getattr(terms, field).strip() for field in _TEXTS}
    if not texts["service"]:
        raise Refused("service", "write the name of the service that will use the key.")
    for field, value in texts.items():
        if len(value) > LONGEST or "\x00" in value:
            raise Refused(field, f"write at most {LONGEST} characters.")
    for field in ("events_per_minute", "events_per_day"):
        limit = getattr(terms, field)
        if limit is not None and not 1 <= limit <= MOST_EVENTS:
            raise Refused(field, f"write 1 to {MOST_EVENTS:,}, or leave it empty for no limit.")
    if not isinstance(by, str):
        found = access.standing(by)
        if not (found.may(Ability.MANAGE_KEYS) and found.sees_team(texts["team"])):
            raise Refused("team", "choose one of your own teams.")
    return terms._replace(**texts)


_TEXTS = ("service", "name", "team", "environment")


def _require_free(service: str, by: Reader | str) -> None:
    """Events of one service count once, so another team's key of the same service could take the
    ids of its events away."""
    if isinstance(by, str) or access.standing(by).teams is None:
        return
    own = Q(pk__in=reachable(by))
    if IngestKey.objects.filter(~own, service=service).exists():
        raise Refused("service", "this name is taken; choose another, or ask an administrator.")
