"""Ingest serves nothing before it knows the prices: an event stored without one stays unpriced."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import httpx
import pytest
from ingest_server import Door, event, serve, until

from finops.conninfo import conninfo
from ingest import app, keys
from ingest.settlements import settler


class NoPrices:
    """A rate card of an empty ledger."""

    version = 1

    def rates(self, **of: Any) -> NoPrices:
        return self

    def at(self, at: datetime, input_tokens: int) -> None:
        return None


def test_nothing_is_stored_before_prices_are_loaded(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ingest.app.FIRST_LOAD_SECONDS", 0.1)
    monkeypatch.setattr("ingest.configuration.RELOAD_SECONDS", 0.05)
    loaded: list[NoPrices] = []
    starting = app.create(
        dsn=conninfo(), rate_card_loader=lambda version: loaded[0] if loaded else None
    )
    with serve(starting) as url, httpx.Client(base_url=url, timeout=30) as http:
        own = Door(url, door.database, starting, http, door.source, door.key)
        until(lambda: starting.configuration.lacks == "prices")
        refused = own.post([event(id="early")])
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert "prices are not loaded yet" in refused.json()["detail"]
        assert door.rows() == []
        assert "Starting without prices" in caplog.text
        loaded.append(NoPrices())
        until(lambda: own.post([event(id="later")]).status_code == 200)
    assert [row["event_id"] for row in door.rows()] == ["later"]


def test_a_writer_does_not_rate_without_prices(door: Door) -> None:
    def fail(version: int | None) -> NoPrices:
        raise RuntimeError("The ledger cannot be read.")

    starting = app.create(dsn=conninfo(), rate_card_loader=fail)
    with pytest.raises(RuntimeError):
        starting.configuration.reload()
    with pytest.raises(LookupError):
        starting.configuration.card_in_force()
    assert starting.configuration.lacks == "prices"
    assert starting.configuration.keys.knows(keys.digest_of(door.key))  # and so revoked keys


@pytest.mark.parametrize("seconds", [30.0, 0.0], ids=["at the start", "later"])
def test_settlements_that_wait_for_prices_are_told_of_only_after_the_start(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    monkeypatch.setattr(settler, "STARTING_SECONDS", seconds)
    monkeypatch.setattr(settler, "SETTLE_SECONDS", 0.01)
    monkeypatch.setattr(settler, "PAUSE_SECONDS", 0.01)
    starting = app.create(dsn=conninfo(), rate_card_loader=lambda version: None)
    caplog.set_level(logging.DEBUG, logger="ingest.settlements.settler")
    starting.settler.start()
    until(lambda: "Settlements wait: No prices are loaded yet" in caplog.text)
    starting.settler.close()
    levels = {record.levelno for record in caplog.records if "No prices" in record.getMessage()}
    assert levels == {logging.INFO if not seconds else logging.DEBUG}
