"""A team with everything that can be known of a team, under names and in figures that nothing else
has; another team beside it; and readers of every kind."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from finops import alerts, api_tokens, audit, budgets, cost_items, ingest_keys, invitations
from finops.anomalies.series import Key
from finops.budgets import increases, wanted
from finops.budgets.increases import Doing
from finops.channels import keeping
from finops.ingest_keys import Terms
from finops.models import (
    Account,
    ActivatedTag,
    Alert,
    Anomaly,
    CardinalityOverflow,
    Erasure,
    IngestKey,
    LatencyTier,
    Operation,
    PlannedEvent,
    Price,
    PriceHold,
    RatingPreview,
    RatingRun,
    RejectedExample,
    Role,
    Team,
    TeamMember,
)
from finops.organisation.stored import Act
from ingest.facts import event_key
from tests import usage
from tests.ownership import a_rule
from tests.secret_outcomes import count_outcomes

MARK = "cx-secret"
TEAM, OTHER_TEAM = f"{MARK}-team", "ads"
ROLES = {
    "A": (Role.ADMINISTRATOR, ""),
    "F": (Role.FINANCE, ""),
    "E": (Role.ENGINEER, TEAM),
    "O": (Role.ENGINEER, OTHER_TEAM),
    "V": (Role.VIEWER, OTHER_TEAM),
}
# What is known of the team in figures begins with these digits, however it is written.
COST, TOKENS, PENDING = Decimal("31415926.54"), 27_182_818, 16_180_339
DUPLICATES, REFUSED, OVERFLOWED = 17_320_508, 14_142_135, 22_360_679
FIGURES = re.compile(
    r"\b(31[ ,]?4[12]\d|31\.4\s?M|27[ ,]?18\d|27\.2\s?M|16[ ,]?180|16\.2\s?M"
    r"|17[ ,]?320|17\.3\s?M|14[ ,]?142|14\.1\s?M|22[ ,]?360)"
)
PRICE = COST / TOKENS


def readers() -> dict[str, Client]:
    """A browser for each reader, nobody's too. The secret team need not be there yet."""
    found = {"N": Client(raise_request_exception=False)}
    for letter, (role, team) in ROLES.items():
        known = {"username": f"reader-{letter}", "password": "correct horse battery"}
        user = User.objects.create_user(email=f"{letter}@example.org", **known)
        Account.objects.create(user=user, role=role)
        if team:
            join(user, team)
        found[letter] = Client(raise_request_exception=False)
        # Both, so that what asks for the password anew is open too.
        for address in ("/sign-in", "/account/confirm"):
            assert found[letter].post(address, known).status_code == 302
    return found


def join(user: User, team: str) -> None:
    found, _ = Team.objects.get_or_create(name=team)
    TeamMember.objects.create(user=user, team=found)


def other_team(now: datetime) -> dict[str, str]:
    """What is there without the secret team, and the ids of it that addresses take."""
    terms = {"uncached_input_price": PRICE, "text_output_price": Decimal("0.000001")}
    price = Price.objects.create(kind="catalog", provider="openai", model="gpt-4o", **terms)
    contract = Price.objects.create(
        kind="contract", provider="openai", model="gpt-5", source="tests", **terms
    )
    hold = PriceHold.objects.create(
        fingerprint="tests", provider="openai", model="gpt-5", described="gpt-5", source="tests",
        findings=[], has_predecessor=False, seen_at=now,
    )  # fmt: skip
    proposal = RatingPreview.objects.create(
        start=now - timedelta(days=1), end=now, requested_by="reader-A", created_at=now,
        terms={"kind": "contract"},
    )  # fmt: skip
    key = ingest_keys.make(Terms("ads-bot", team=OTHER_TEAM), by="tests", now=now).key
    at = now - timedelta(hours=2)
    own = {"team": OTHER_TEAM, "user": "ann", "feature": "banners", "tags": {"kind": "own"}}
    events = [usage.event(at, id=f"ads-{n}", **own) for n in range(3)]
    usage.record(events, now=now, source="ads-bot", key_id=key.pk)
    batch(key, now, (10, 1, 3))
    count_outcomes(now, at, {OTHER_TEAM: 3})
    tier = LatencyTier.objects.create(name="glacial", max_latency_ms=9_000_000)
    ids = {"price": price, "contract": contract, "hold": hold, "proposal": proposal}
    keeper, _ = User.objects.get_or_create(username="keeper")
    hook = keeping.Terms("readers", "webhook", "https://hooks.example.org/x")
    channel, _ = keeping.add(hook, Act(keeper, now))
    ids |= {"tag": ActivatedTag.objects.create(key="kind"), "tier": tier, "channel": channel}
    return {name: str(each.pk) for name, each in ids.items()}


def secret_team(now: datetime) -> dict[str, str]:
    """Makes the team; returns what its parts are called in addresses."""
    team, _ = Team.objects.get_or_create(name=TEAM)
    team.cost_center = f"{MARK}-center"
    team.save()
    rule = a_rule({"team": TEAM, "feature": f"{MARK}-feature"}, team.cost_center)
    names = {
        name: f"{MARK}-{name}"
        for name in ("feature", "user", "session", "environment", "region", "variant", "fleet")
    }
    at, request = now - timedelta(hours=1), f"{MARK}-request"
    theirs = {"team": TEAM, "model": f"{MARK}-model", "tags": {"kind": f"{MARK}-tag"}, **names}
    service = f"{MARK}-service"
    key = ingest_keys.make(
        Terms(service, f"{MARK}-key", TEAM, f"{MARK}-environment"), by="tests", now=now
    ).key
    usage.record(
        [
            usage.event(at, id=request, prompt_hash=f"{MARK}-prompt", **theirs),  # has no price
            usage.event(at, id=f"{request}-2", team=TEAM, input_tokens=TOKENS, output_tokens=0),
        ],
        now=now,
        source=service,
        key_id=key.pk,
    )
    batch(key, now, (PENDING, DUPLICATES, REFUSED))
    noted(key, now)
    count_outcomes(now, at, {TEAM: TOKENS})
    event = event_key(service, request)
    return {
        **{"event": event.hex(), "request": request, "day": at.date().isoformat()},
        **{"event_uuid": str_of(event), "key": key.prefix, "team": str(team.pk)},
        **{"rule": str(rule.pk), "month": f"{at:%Y-%m}"},
        **people(now),
        **previews(now),
        **alert(now),
        **erasure(now),
        **budget(now),
        **anomaly(now),
    }


def str_of(key: bytes) -> str:
    text = key.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def batch(key: IngestKey, now: datetime, counts: tuple[int, int, int]) -> None:
    """What the key brought to one commit: accepted, duplicates and refused. No event of it is
    stored; it waits to be folded."""
    accepted, duplicates, refused = counts
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ingest_batch (key_id, source, format, received_at, committed_at, accepted,
                duplicates, rejected, unknown_fields, unknown_names, clients)
            VALUES (%s, %s, 'json', %s, %s, %s, %s, %s, 2, %s, %s)
            """,
            [
                *(key.pk, key.service, now, now, accepted, duplicates),
                *(f'{{"empty_model": {refused}}}', f'["{key.service}-field"]'),
                f'{{"{key.service}-agent/1": [{accepted}, {duplicates}, {refused}]}}',
            ],
        )
        # Others that were made so are taken for folded with what was recorded since.
        cursor.execute("UPDATE ingest_batch SET folded_at = NULL WHERE first_started_at IS NULL")


def noted(key: IngestKey, now: datetime) -> None:
    """What the ingest process notes of events that it refused and folded together."""
    RejectedExample.objects.create(
        key_id=key.pk, received_at=now, format="json", client=f"{MARK}-agent/1",
        reason="empty_model", field=f"{MARK}-field", id_prefix=f"{MARK}…",
        shape={f"{MARK}-name": "(not a field)"},
    )  # fmt: skip
    CardinalityOverflow.objects.create(
        dimension="feature", team=TEAM, first_at=now, last_at=now, times=OVERFLOWED,
        examples={f"{MARK}-overflow": 7},
    )  # fmt: skip


def people(now: datetime) -> dict[str, str]:
    """Somebody of the team with a session, a token and a passkey, somebody invited, and what is on
    record of them."""
    user = User.objects.create_user(f"{MARK}-person", f"{MARK}@example.org", "a password 1")
    Account.objects.create(user=user, role=Role.ENGINEER)
    join(user, TEAM)
    Client().force_login(user)
    token = api_tokens.create_token(user, now=now, by=user, name=f"{MARK}-token")
    session = UserSession.objects.create(
        user=user, session_key=uuid4().hex, ip="127.0.0.1", user_agent=f"{MARK}-browser"
    )
    passkey = Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": f"{MARK}-passkey"}
    )
    team = Team.objects.filter(name=TEAM)
    invited, _ = invitations.invite(
        f"{MARK}-invited@example.org", Role.ENGINEER, team, by=user, at=now - timedelta(minutes=5)
    )
    audit.record(
        f"{MARK}.act", f"{MARK}-subject", at=now, by=user, team=TEAM, reason=f"{MARK}-reason"
    )
    made: dict[str, Any] = {"session": session, "passkey": passkey, "invitation": invited}
    return {
        "person": str(user.pk),
        "token": "_".join(token.split("_")[:2]),
        **{name: str(each.pk) for name, each in made.items()},
    }


def previews(now: datetime) -> dict[str, str]:
    """Rating again, which shows what models cost."""
    change = {
        "examined": 1, "changed": 1, "cost_before": "1", "cost_after": str(COST),
        "unpriced_before": 0, "unpriced_after": 0,
    }  # fmt: skip
    held = RatingPreview.objects.create(
        start=now - timedelta(days=1), end=now, requested_by=f"{MARK}-person", created_at=now,
        finished_at=now,
        result={"total": change, "models": [["x", f"{MARK}-model", change]], "skipped": 0},
    )  # fmt: skip
    RatingRun.objects.create(
        start=now - timedelta(days=1), end=now, requested_by=f"{MARK}-person", finished_at=now,
        reason=f"{MARK}-reason", cost_after=COST,
    )  # fmt: skip
    operation = Operation.objects.create(
        kind="rerate", what="a day", terms={}, requested_by="nobody", created_at=now
    )
    return {"preview": str(held.pk), "operation": str(operation.pk)}


def alert(now: datetime) -> dict[str, str]:
    """Of a budget of the team, in a conversation of its own."""
    made = alerts.raise_alert(
        key=f"{MARK}-key", kind=Alert.Kind.BUDGET_ACTUAL, severity=Alert.Severity.WARNING,
        title=f"{MARK}-alert", facts={"budget": f"{MARK}-budget", "actual": str(COST)}, team=TEAM,
        thread=f"{MARK}-thread", now=now,
    )  # fmt: skip
    assert made
    return {"alert": str(made.pk)}


def erasure(now: datetime) -> dict[str, str]:
    """Of a user of the team, under way."""
    made = Erasure.objects.create(
        name=f"{MARK}-user", user_id=1, label=f"{MARK}-erased", is_everywhere=True,
        asked_by=f"{MARK}-person", asked_at=now,
    )  # fmt: skip
    return {"erasure": str(made.pk)}


def budget(now: datetime) -> dict[str, str]:
    """Of the team, evaluated; and a cost item that its cost center bears."""
    terms = {"name": f"{MARK}-budget", "filters": {"team": [TEAM]}, "period": "daily", "amount": 1}
    by = User.objects.get(username="reader-A")
    made = budgets.make(budgets.read(terms), by=by, at=now - timedelta(minutes=1))
    budgets.evaluate(now, settings.REPORTING_ZONE)
    asked = {"amount": str(COST), "until": str(now + timedelta(days=2)), "reason": f"{MARK}-reason"}
    more = wanted.read(asked, made, now, settings.REPORTING_ZONE)
    increase = increases.ask(made, more, Doing(by, now))
    seats = {"kind": "fixed", "amount": 9, "effective_from": "2020-01-01", "name": f"{MARK}-item"}
    own = cost_items.read({**seats, "targets": [f"{MARK}-center"]})
    item = cost_items.make(own, Act(by, now))
    return {"budget": str(made.pk), "increase": str(increase.pk), "cost_item": str(item.pk)}


def anomaly(now: datetime) -> dict[str, str]:
    """Of the team, and an event that is planned for it."""
    filters = {"team": TEAM, "feature": f"{MARK}-feature"}
    held = Anomaly.objects.create(
        series=Key.of(filters).name, filters=filters, team=TEAM, metric="effective_cost",
        scale="minute", kind="spike", direction=1, severity="critical", reason=f"{MARK}-reason",
        started_at=now - timedelta(hours=1), ended_at=now, seen_at=now, actual=COST, expected=1,
        impact=COST, surprise=4, spans={"minute": {"open": True}},
    )  # fmt: skip
    event = PlannedEvent.objects.create(
        name=f"{MARK}-event", start=now, end=now + timedelta(days=1), filters={"team": [TEAM]},
        created_by=f"{MARK}-person", created_at=now, changed_at=now,
    )  # fmt: skip
    return {"anomaly": str(held.pk), "plan": str(event.pk)}
