"""What ingest asks of a rate card; who builds one is not its business."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from ingest.costs import Tariff


class Rate(NamedTuple):
    """The ledger lines one event is rated with: the list price and the contract that changed it.

    And the exchange rates, where one of them is in another currency than the costs.
    """

    price_id: int
    contract_price_id: int | None
    fixing_id: int | None = None


class Rates(Protocol):
    """The rates of requests that differ in time and size alone."""

    def at(self, at: datetime, input_tokens: int, /) -> Rate | None:
        """The lines for one request, or None when no price is known."""
        ...


class RateCard(Protocol):
    """Every price in force, in memory. `version` changes whenever the ledger changes."""

    version: int

    def rates(
        self, *, provider: str, model: str, service_tier: str, cache: str, fleet: str
    ) -> Rates:
        """What requests of this combination cost, at any time and of any size."""
        ...

    def tariff(self, rate: Rate, /) -> Tariff:
        """The unit prices of a rate that this card gave."""
        ...


# Given the version held (None at first), a newer card, or None when nothing changed. Blocks: the
# ingest process calls it in a thread.
RateCardLoader = Callable[[int | None], RateCard | None]
