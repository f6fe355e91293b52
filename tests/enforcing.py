"""Budgets that are enforced, for tests: made, handed over to a running server, and asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from django.conf import settings
from ingest_server import Clock, Door, event, serve

from finops import enforcement, rollups
from finops.conninfo import conninfo
from finops.enforcement import Kept
from finops.models import Budget
from finops.pricing.lines import PriceLine, UnitPrices
from finops.pricing.resolution import RateCard
from ingest import app

clock = Clock()
AUTHORIZE = "/api/v1/authorize"
DOLLAR = 1_000_000  # tokens
CARD = RateCard(
    [
        PriceLine(
            "contract",
            "acme",
            "dollar",
            UnitPrices(uncached_input=Decimal("0.000001"), text_output=Decimal("0.000001")),
            id=1,
        )
    ],
    1,
)


def application(clock: Callable[[], float], dsn: str = "") -> app.App:
    """An ingest process that knows what a token of acme's model dollar costs."""
    return app.create(
        dsn=dsn or conninfo(),
        rate_card_loader=lambda version: None if version else CARD,
        clock=clock,
    )


@dataclass
class Gateway:
    """What asks a running server; `others` are servers beside it on the same database."""

    door: Door
    clock: Clock
    others: list[app.App]

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now, UTC)

    def budget(
        self,
        amount: object,
        *,
        enforced: str = "block",
        filters: Mapping[str, list[str]] | None = None,
        **terms: Any,
    ) -> Budget:
        """Of what the key's service spends, in this month unless terms say otherwise."""
        given = {
            "name": f"budget-{uuid4().hex[:8]}",
            "filters": {"service": [self.door.source], **(filters or {})},
            "period": Budget.Span.MONTHLY,
            "amount_kind": Budget.AmountKind.FIXED,
            "amount": Decimal(str(amount)),
            "enforcement": enforced,
            "created_at": self.now,
            "created_by": "tests",
            "changed_at": self.now,
            "changed_by": "tests",
            **terms,
        }
        return Budget.objects.create(**given)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.door.http.post(
            path, json=body, headers={"authorization": f"Bearer {self.door.key}", **given}
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """The decision about one call; it was one of the key's own service."""
        response = self.post(AUTHORIZE, question)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def decided(self, **question: Any) -> tuple[str, str]:
        """The decision, and the code of what weighs most."""
        answer = self.ask(**question)
        codes = [each["code"] for each in answer["reasons"]]
        return answer["decision"], codes[0] if codes else ""

    def spend(self, dollars: object, **fields: Any) -> str:
        """A call that costs so much, in the rollups and known to every server; its event's id."""
        spent = self.send(dollars, **fields)
        self.refresh()
        return spent

    def send(self, dollars: object, **fields: Any) -> str:
        """A call that costs so much, stored but not folded; its event's id."""
        sent = event(
            provider="acme",
            model="dollar",
            input_tokens=int(Decimal(str(dollars)) * DOLLAR),
            output_tokens=0,
            timestamp=self.now.isoformat(),
        )
        sent |= fields
        answer = self.door.post([sent]).json()
        assert answer["accepted"] + answer["duplicates"] == 1, answer
        return str(sent["id"])

    def refresh(self) -> None:
        """Fold what is there, hand it over, and have it read."""
        zone = settings.REPORTING_ZONE
        self.read()  # after what was reserved is written
        rollups.fold_waiting(self.now, zone)
        enforcement.refresh(self.now, zone, Kept())
        self.read()

    def read(self) -> None:
        """Have every server read what is handed over already."""
        for each in (self.door.application, *self.others):
            reading = each.authorizing.authority.read()
            asyncio.run_coroutine_threadsafe(reading, each.writer.loop).result(10)


@contextmanager
def beside(gateway: Gateway) -> Iterator[Gateway]:
    """A second ingest process on the same database, asked with the same key."""
    second = application(gateway.clock)
    with serve(second) as url, httpx.Client(base_url=url, timeout=30) as http:
        gateway.others.append(second)
        own = gateway.door
        yield Gateway(
            Door(url, own.database, second, http, own.source, own.key),
            gateway.clock,
            [own.application],
        )
        gateway.others.remove(second)


@pytest.fixture(scope="module")
def ingest_app(database: psycopg.Connection[dict[str, Any]]) -> app.App:
    return application(clock)


@pytest.fixture
def gateway(door: Door) -> Iterator[Gateway]:
    """A gateway whose clock is right until a test moves it."""
    clock.now = datetime.now(UTC).timestamp()
    made = Gateway(door, clock, [])
    yield made
    made.read()  # what was reserved is written before the tables are emptied
