"""What a reader sees of a page, and the usage that tests of pages look at."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

from finops import ledger
from tests import usage


def price_gpt_4o() -> None:
    terms = {"kind": "contract", "provider": "openai", "model": "gpt-4o"}
    prices = {"uncached_input_price_per_million": "2.5", "text_output_price_per_million": "10"}
    ledger.add({**terms, **prices}, author="tests", zone=UTC)


def record_teams(now: datetime) -> None:
    """Three teams, two models and a third without a price, some requests without an owner."""
    price_gpt_4o()
    hour_ago = now - timedelta(hours=1)
    events = [
        *(usage.event(hour_ago, team="search", feature="answers", user="ann") for _ in range(3)),
        usage.event(hour_ago, team="support", feature="chat & <b>more</b>", input_tokens=777),
        usage.event(hour_ago, team="support", model="mystery-1", status="error"),
        usage.event(hour_ago, latency_ms=842, stages_ms={"prefill": 200, "decode": 600}),
    ]
    usage.record(events, now=now)


def text_of(page: str) -> str:
    """What a reader sees, spaces evened out."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def rows_of(page: str) -> list[list[str]]:
    """The cells of the table's body."""
    body = re.search(r"<tbody[^>]*>(.*?)</tbody>", page, re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", body[1] if body else "", re.DOTALL)
    return [[text_of(c).strip() for c in re.findall(r"<t[dh].*?</t[dh]>", r)] for r in rows]
