"""Anomalies as they are held, for tests of what people do with them."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from finops.anomalies.series import Key
from finops.models import Anomaly


def made(team: str = "cx", **more: Any) -> Anomaly:
    now = timezone.now().replace(second=0, microsecond=0)
    filters = {"feature": "answers", **({"team": team} if team else {})}
    start = int((now - timedelta(minutes=5)).timestamp())
    picture = {
        "scale": "minute", "starts": [start + 60 * n for n in range(5)],
        "actual": [1, 1, None, 4, 4.5], "expected": [None, 1, 1, 1, 1], "low": [None, 0, 0, 0, 0],
        "high": [None, 2, 2, 2, 2], "first": 3, "last": 4,
    }  # fmt: skip
    terms: dict[str, Any] = {
        "series": Key.of(filters).name, "filters": filters, "team": team,
        "metric": "effective_cost", "scale": "minute", "kind": "spike", "direction": 1,
        "severity": "warning", "reason": "4 times what this time of day comes to",
        "started_at": now - timedelta(minutes=2), "ended_at": now, "seen_at": now,
        "actual": Decimal("8.5"), "expected": Decimal(2), "impact": Decimal("6.5"), "surprise": 3,
        "spans": {"minute": {"open": True}}, "picture": picture,
    }  # fmt: skip
    return Anomaly.objects.create(**(terms | more))


def send(client: Client, method: str, path: str, body: object, status: int) -> Any:
    response = client.generic(method, path, json.dumps(body), content_type="application/json")
    assert response.status_code == status, response.content
    return response.json() if response.content else None
