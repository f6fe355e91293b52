"""Questions put to Farthing and to columnar engines on the same rows; the answers have to agree."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import numpy as np

from bench.peers import Peer, Rows
from bench.system import ROOT, System

Params = dict[str, str]
SLOWER_STOPS = 2.0  # seconds; what takes longer is asked once more, and no more
COST = "cost by day × model, one team"
USERS = "top 20 users"
LATENCY = "p95 latency by feature"


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds."""

    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Timing:
        p50, p95 = np.percentile(np.array(seconds) * 1000, (50, 95))
        return cls(round(float(p50), 1), round(float(p95), 1))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of Farthing, what of an engine, and how the answers are made comparable."""

    params: Params
    sql: Callable[[Peer], str]
    exact_sql: Callable[[Peer], str]
    ours: Callable[[dict[str, Any]], object]
    theirs: Callable[[Rows], object]


class Disagreement(Exception):
    """Farthing and an engine answer the same question differently."""


def timed(ask: Callable[[int], Any], times: int) -> tuple[Timing, Any]:
    """How long `ask` takes, after one unmeasured call, and its last answer."""
    answer, seconds = ask(0), []
    for number in range(times):
        begun = time.perf_counter()
        answer = ask(number)
        seconds.append(time.perf_counter() - begun)
        if seconds[-1] > SLOWER_STOPS:
            break
    return Timing.of(seconds), answer


def costs(http: httpx.Client, **params: str) -> dict[str, Any]:
    response = http.get("/api/v1/costs", params=params)
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


def money(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def questions(span: Params, team: str) -> dict[str, Question]:
    quoted = team.replace("'", "''")
    return {
        COST: Question(
            {**span, "granularity": "day", "group_by": "model", "team": team},
            by_day := lambda _: (
                "SELECT CAST(started_at AS DATE) AS day, model, sum(cost), count(*) FROM events "
                f"WHERE team = '{quoted}' GROUP BY day, model"
            ),
            by_day,
            lambda answer: {
                (row["start"][:10], row["model"]): (money(row["effective_cost"]), row["requests"])
                for row in answer["rows"]
            },
            lambda rows: {
                (str(day), model): (money(cost), int(count)) for day, model, cost, count in rows
            },
        ),
        USERS: Question(
            {
                **span,
                "granularity": "total",
                "group_by": "user",
                "limit": "20",
                "metrics": "effective_cost",
            },
            leading := lambda _: (
                "SELECT user_name, sum(cost) AS spent FROM events GROUP BY user_name "
                "ORDER BY spent DESC NULLS LAST LIMIT 20"
            ),
            leading,
            lambda answer: [
                money(row["effective_cost"]) for row in answer["rows"] if not row.get("is_other")
            ],
            lambda rows: [money(spent) for _, spent in rows],
        ),
        LATENCY: Question(
            {**span, "granularity": "total", "group_by": "feature", "metrics": "latency_p95"},
            lambda peer: f"SELECT feature, {peer.p95} FROM events GROUP BY feature",
            lambda peer: f"SELECT feature, {peer.exact_p95} FROM events GROUP BY feature",
            lambda answer: {row["feature"]: row["latency_p95"] for row in answer["rows"]},
            lambda rows: {
                feature: None if value is None else float(value) for feature, value in rows
            },
        ),
    }


def measure(
    farthing: System, http: httpx.Client, peers: Sequence[Peer], span: Params, times: int
) -> dict[str, Any]:
    """Question → timings of the database, of the whole question and of each engine."""
    whole = "SELECT sum(cost), count(*) FROM events"
    totals = costs(http, granularity="total", **span)["totals"]
    ours = (money(totals["effective_cost"]), totals["requests"])
    for peer in peers:
        [(cost, count)] = peer.ask(whole)
        agree(f"total, {peer.name}", ours, (money(cost), int(count)))
    [(team, _), *_] = peers[0].ask(
        "SELECT team, count(*) AS requests FROM events GROUP BY team ORDER BY requests DESC, team"
    )
    asked = questions(span, team)
    taken = database_time(farthing, {name: each.params for name, each in asked.items()}, times)
    found: dict[str, Any] = {}
    for name, each in asked.items():
        found[name] = {
            part: Timing.of(np.array(taken[name][part]) / 1000) for part in ("database", "whole")
        }
        answer = each.ours(costs(http, **each.params))
        for peer in peers:
            error = compare(
                f"{name}, {peer.name}", answer, each.theirs(peer.ask(each.exact_sql(peer)))
            )
            if error is not None:
                found[name]["largest_relative_error"] = round(error, 5)
            sql = each.sql(peer)
            found[name][peer.name] = timed(lambda _, peer=peer, sql=sql: peer.ask(sql), times)[0]
    return found


def compare(what: str, ours: Any, theirs: Any) -> float | None:
    """Exact figures have to be equal; of percentiles, the groups, and the largest error is told."""
    if not (isinstance(ours, dict) and any(isinstance(each, float) for each in ours.values())):
        agree(what, ours, theirs)
        return None
    agree(what, set(ours), set(theirs))
    return max(
        abs(value / theirs[name] - 1) for name, value in ours.items() if value and theirs[name]
    )


def agree(what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise Disagreement(f"{what}: {str(ours)[:500]} here, {str(theirs)[:500]} there")


def program(farthing: System, name: str, *arguments: str, given: object = None) -> Any:
    """What a program of bench/ that needs the installation's own settings prints as JSON."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / name), *arguments],
        cwd=ROOT,
        env=farthing.environment,
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def database_time(farthing: System, asked: dict[str, Params], times: int) -> dict[str, Any]:
    found: dict[str, Any] = program(farthing, "database_time.py", str(times), given=asked)
    return found


def charts(farthing: System, http: httpx.Client, span: Params, times: int) -> dict[str, Any]:
    """Every question of the pages' charts and tables, through the API."""
    asked: dict[str, Params] = program(farthing, "charts.py", span["start"], span["end"])

    def ask(params: Params) -> None:
        response = http.get("/api/v1/costs", params=params)
        if response.status_code not in {200, 503}:  # 503: takes longer than somebody waits
            response.raise_for_status()

    return {
        name: timed(lambda _, params=params: ask(params), times)[0]
        for name, params in asked.items()
    }
