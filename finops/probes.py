"""Test events: one recognisable event that costs nothing, sent through the real door."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import httpx
from django.db import transaction

from finops import audit, ingest_client
from finops.access import Reader, Standing
from finops.ingest_client import BodyRefused, IngestClient, KeyRefused, ServerAway
from finops.models import IngestKey, Price
from ingest import keys
from ingest.facts import event_key

NAME = "farthing-test"
USUAL = ("openai", "gpt-4o-mini")
# Longer than a request takes; then it stops by itself, even if this process dies.
KEY_LASTS = timedelta(minutes=1)
FORGOTTEN_AFTER = timedelta(hours=1)
PATIENCE_SECONDS = 5.0


class ProbeFailed(Exception):
    """The test event was not taken; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One test event that was accepted. `day` is the UTC day of its start."""

    event_key: UUID
    day: date


def send_with_own_key(
    url: str, team: str, *, by: Reader, now: datetime, address: str = ""
) -> Probe:
    """Send a test event of a team with a key made for it, which is revoked again. ProbeFailed."""
    key = keys.generate()
    with transaction.atomic():
        old = IngestKey.objects.filter(service=NAME, stops_at__lt=now - FORGOTTEN_AFTER)
        old.delete()
        made = IngestKey.objects.create(
            prefix=key.prefix,
            digest=key.digest,
            name="one test event",
            service=NAME,
            team=team,
            stops_at=now + KEY_LASTS,
        )
        subject = f"{key.prefix} (for one minute)"
        audit.record("ingest.test", subject, at=now, by=by, team=team, address=address)
    try:
        return send(url, key.text, NAME, now)
    finally:
        IngestKey.objects.filter(pk=made.pk).update(revoked_at=now)


def send_with_given_key(url: str, text: str, *, standing: Standing, now: datetime) -> Probe:
    """Send a test event with a key that its reader pasted. Raises ProbeFailed."""
    key = IngestKey.objects.filter(digest=keys.digest_of(text)).first()
    if key is None or not standing.sees_team(key.team):
        raise ProbeFailed("This key is not known here, or it is of a team that is not yours.")
    return send(url, text, key.service, now)


def send(url: str, key: str, service: str, now: datetime) -> Probe:
    """Over HTTP, as any service does, and answered like it."""
    provider, model = priced_model()
    event = {
        "id": f"{NAME}-{uuid4().hex}",
        "timestamp": now.isoformat(),
        "provider": provider,
        "model": model,
        "feature": NAME,
        "input_tokens": 0,
        "output_tokens": 0,
    }
    # Nothing between this process and its neighbour on the same machine.
    with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as http:
        client = IngestClient(url, key, patience_seconds=PATIENCE_SECONDS, http=http)
        try:
            receipt = client.send(json.dumps(event).encode(), ingest_client.JSON)
        except (ServerAway, KeyRefused, BodyRefused) as error:
            raise ProbeFailed(str(error)) from None
    if receipt.accepted != 1:
        why = receipt.rejected[0].detail if receipt.rejected else "it was counted before"
        raise ProbeFailed(f"The test event was not accepted: {why}")
    return Probe(UUID(bytes=event_key(service, str(event["id"]))), now.date())


def priced_model() -> tuple[str, str]:
    """A model with a price, so that a test is not listed among what has none."""
    lines = Price.objects.filter(kind=Price.Kind.CATALOG, superseded_at=None)
    usual = lines.filter(provider=USUAL[0], model=USUAL[1])
    found = (usual if usual.exists() else lines).values_list("provider", "model").first()
    return found or USUAL
