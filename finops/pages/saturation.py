"""How full the door is, in words: what limits right now and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from finops import formats, health, saturation
from finops.pages.refusals import moment
from finops.saturation import FILLING, FULL, Door

BARS_HIGH = 40


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    percent: int
    note: str
    tone: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute of the last hour, as drawn from the bottom up."""

    x: int
    y: int
    height: int
    tone: str
    title: str


def panel(teams: frozenset[str] | None, pipeline: health.Pipeline, now: datetime) -> dict[str, Any]:
    """What templates/ingest/_saturation.html shows."""
    door = saturation.read(now, teams)
    state, tone, advice = said(door, pipeline, now)
    return {
        "state": state,
        "tone": tone,
        "advice": advice,
        "is_silent": door.is_silent(now),
        "gauges": gauges(door),
        "limited_keys": [
            gauge(f"{key.prefix} · {key.service}", share, "of its limit")
            for key, share in door.keys
        ],
        "facts": facts(door),
        "bars": bars(door, now),
        "minutes": [
            (moment(each.minute, now), percent(each.fullest), formats.count_long(each.refused))
            for each in reversed(door.hour)
            if each.fullest is not None
        ],
        "hour": [moment(each.minute, now) for each in (*door.hour[:1], *door.hour[-1:])],
        "of_all": door.of_all,
        "processes": door.processes,
    }


def said(door: Door, pipeline: health.Pipeline, now: datetime) -> tuple[str, str, str]:
    """The state in a word, its tone, and what to do about it."""
    if door.is_silent(now):
        since = f"since {moment(door.noted_at, now)}" if door.noted_at else "yet"
        return (
            "Not known",
            "crit",
            f"No ingest process has told how full it is {since}: it is stopped, or cannot reach "
            "the database. Clients are told to send again, and keep what they have.",
        )
    if door.away >= 1:
        return (
            "No database",
            "crit",
            "The ingest process has no connection to PostgreSQL: every request is answered 503 "
            "and is to be sent again. Look at PostgreSQL and its log.",
        )
    if door.queue >= FULL or (door.busy >= FULL and door.unavailable):
        return (
            "Full",
            "warn",
            "The database writes slower than events come: some are answered 503 and come again. "
            "Give PostgreSQL faster disks or more cores, or let clients send 500 events a request.",
        )
    if door.memory >= FULL or door.waiting_bodies:
        return (
            "Full",
            "warn",
            "Large requests wait for memory. Let clients send less at once: 500 to 5,000 events a "
            "request are written fastest.",
        )
    return _said_calmly(door, pipeline, now)


def _said_calmly(door: Door, pipeline: health.Pipeline, now: datetime) -> tuple[str, str, str]:
    if door.limits:
        return (
            "Limited",
            "warn",
            "Keys are at their own limits: their requests are answered 429, others are taken. "
            "Raise a limit on the Keys desk, or have the service send less.",
        )
    if pipeline.lag(now) > health.LAG_LIMIT:
        return (
            "Roll-up late",
            "warn",
            "Events are stored, but costs lag behind. Look at the worker's log, and for long runs "
            "on Settings, Operations.",
        )
    if max(door.queue, door.memory, door.busy) >= FILLING:
        return ("Busy", "", "Everything is taken. There is room for somewhat more.")
    return ("Calm", "ok", "Everything is taken at once.")


def gauges(door: Door) -> list[Gauge]:
    return [
        gauge("Queue", door.queue, "of the events that may wait for their commit"),
        gauge("Memory", door.memory, "of what requests may hold together"),
        gauge("Writers", door.busy, "of their time in commits"),
    ]


def gauge(name: str, share: float, note: str) -> Gauge:
    tone = "crit" if share >= FULL else "warn" if share >= FILLING else ""
    return Gauge(name, round(min(share, 1.0) * 100), note, tone)


def facts(door: Door) -> list[tuple[str, str]]:
    counts = [
        ("Requests in 5 minutes", formats.count_long(door.requests)),
        ("Answered 503, come again", formats.count_long(door.unavailable)),
        ("Answered 429, over a key’s limit", formats.count_long(door.limited)),
    ]
    return [
        *(counts if door.of_all else ()),  # which tell how much other teams send
        ("Large requests waiting", formats.count_long(door.waiting_bodies)),
        ("Commit, p95", formats.duration(door.commit_p95 * 1000) if door.commit_p95 else "–"),
    ]


def percent(share: float) -> str:
    return f"{share * 100:.0f}{formats.SPACE}%"


def bars(door: Door, now: datetime) -> list[Bar]:
    found = []
    for place, each in enumerate(door.hour):
        if each.fullest is None:
            continue
        height = max(round(each.fullest * BARS_HIGH), 1 if each.refused else 0)
        tone = "crit" if each.refused else "warn" if each.fullest >= FILLING else ""
        refused = f", {formats.count_long(each.refused)} refused" if each.refused else ""
        title = f"{moment(each.minute, now)}: {percent(each.fullest)}{refused}"
        found.append(Bar(place * 5, BARS_HIGH - height, height, tone, title))
    return found
