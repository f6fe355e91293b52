"""What the demo needs before its first event: an administrator, teams, a tag, prices, keys.

Kept in the data directory is what a later start prints again and goes on from; the file is the
demo's own, readable by its owner only.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from finops import audit, ingest_keys, ledger, price_entries
from finops.demo.company import SERVICES, TEAMS
from finops.models import ActivatedTag, IngestKey, LatencyTier, Price, Team
from ingest import keys

LOGIN = "demo"
PROGRAM = "manage.py load_demo"
# A key to try one's own requests with; the demo itself sends nothing with it.
SPARE_SERVICE = "my-service"
# Latency tier → p95 in ms: one target is kept and one is not.
TARGETS = {"realtime": 500, "interactive": 1500}


class DemoState(msgspec.Struct):
    """`anchor` is the day of the first load: incidents count back from it for ever."""

    anchor: date
    password: str
    keys: dict[str, str]
    loaded_until: datetime | None = None


class InUse(RuntimeError):
    """The installation has people or keys of its own: made-up costs would stand among its real
    ones, and not be told from them."""


def prepare(path: Path, now: datetime, days: int, *, is_mixing: bool = False) -> DemoState:
    """Everything in place, made now or by an earlier start. A new database starts afresh; raises
    InUse where it is not new, unless the demo is to be mixed into what is there."""
    state = read_state(path)
    if state is None or not keys_work(state):
        if not is_mixing and (User.objects.exists() or IngestKey.objects.exists()):
            raise InUse
        state = DemoState(now.astimezone(UTC).date(), secrets.token_urlsafe(9), {})
        state.keys = {name: make_key(name, team) for name, team in services()}
        make_company()
        make_prices(state.anchor, days)
        write_state(path, state)
    make_administrator(state.password)
    return state


def services() -> list[tuple[str, str]]:
    return [*SERVICES, (SPARE_SERVICE, "")]


def keys_work(state: DemoState) -> bool:
    digests = [keys.digest_of(text) for text in state.keys.values()]
    known = IngestKey.objects.filter(digest__in=digests, revoked_at=None).count()
    return known == len(services())


def make_key(service: str, team: str) -> str:
    terms = ingest_keys.Terms(service, team=team)
    return ingest_keys.make(terms, by=PROGRAM, now=timezone.now()).text


def make_administrator(password: str) -> None:
    user, is_new = User.objects.get_or_create(
        username=LOGIN, defaults={"is_staff": True, "is_superuser": True}
    )
    if is_new:
        user.set_password(password)
        user.save()


def make_company() -> None:
    for name, cost_center in TEAMS.items():
        Team.objects.get_or_create(name=name, defaults={"cost_center": cost_center})
    ActivatedTag.objects.get_or_create(key="plan")
    for name, target in TARGETS.items():
        LatencyTier.objects.filter(name=name, target_p95_ms=None).update(target_p95_ms=target)


def make_prices(anchor: date, days: int) -> None:
    """Contracts and the fleet's rate, so that list and effective cost differ; once."""
    if Price.objects.filter(author=LOGIN, superseded_at=None).exists():
        return
    first = (anchor - timedelta(days=days + 1)).isoformat()
    halfway = (anchor - timedelta(days=days // 2)).isoformat()
    for terms in (
        {"kind": "contract", "provider": "anthropic", "discount_percent": "15",
         "effective_from": first, "note": "Demo: enterprise agreement with Anthropic."},
        {"kind": "contract", "provider": "openai", "model": "gpt-6*", "discount_percent": "8",
         "effective_from": halfway, "note": "Demo: commitment to OpenAI."},
        {"kind": "contract", "provider": "google", "model": "gemini-3.8-flash",
         "uncached_input_price_per_million": "0.60", "text_output_price_per_million": "3.20",
         "effective_from": first, "note": "Demo: negotiated unit prices."},
        {"kind": "self_hosted", "fleet": "h100-eu", "gpu_hour_price": "3.96",
         "effective_from": first, "note": "Demo: rented H100 in Frankfurt."},
    ):  # fmt: skip
        with transaction.atomic():
            price = ledger.add(terms, author=LOGIN, zone=UTC)
            audit.record(
                "price.add",
                f"#{price.pk} ({ledger.line_of(price).describe()})",
                at=timezone.now(),
                by=PROGRAM,
                after=price_entries.terms_of(price),
                reason=price.note,
            )


def read_state(path: Path) -> DemoState | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=DemoState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_state(path: Path, state: DemoState) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(state))
    draft.replace(path)
