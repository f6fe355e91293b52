"""Users against their own past and their peers: days from rollups, then, of those whose days are
worth it, the single requests of a day or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from finops import costs, requests
from finops.costs import QueryTooSlow, RankedUser, UserDay
from finops.periods import Period, days, local_day
from finops.power_users.concentration import Concentration
from finops.power_users.labels import Label, Past, bursty, growing, heavy
from finops.power_users.rhythm import FEWEST_REQUESTS, SUDDEN, bot_like, runaway_loop
from finops.query import CostQuery
from finops.requests import MOST_REQUESTS, Pulse

# Five whole weeks: the last, and four to compare it with; and the day that is running.
WHOLE_DAYS = 35
# How far back a sudden day is looked for, and how often single requests are read, each time of one
# day and at most requests.MOST_REQUESTS of them.
RECENT = timedelta(days=7)
MOST_READS = 8
DAY = timedelta(days=1)
LEFT = "Of {} users not all requests were looked at for loops and bots: there are too many."
TOO_SLOW = "Single requests could not be read in time, so loops and bots are not looked for."


@dataclass(frozen=True, slots=True)
class Window:
    """The days that users are judged by, up to the end of a query's period, or today. `last` is the
    last one; `whole` the last that is over."""

    zone: ZoneInfo
    period: Period
    last_day: Period
    last: date
    whole: date


@dataclass(frozen=True, slots=True)
class Profile:
    """One user's days of the window and what they say; those without usage are not there."""

    days: tuple[UserDay, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A day of a user that may be a bot's or a loop's; `usual` is what a day before had."""

    number: int
    day: date
    requests: int
    usual: float

    @property
    def suddenness(self) -> float:
        return self.requests / (self.usual + 1)


# The day of a user, what is unusual about it, and what it came to.
Noticed = tuple[Suspect, Label, UserDay]


def window_of(query: CostQuery, now: datetime) -> Window:
    zone = query.zone
    until = min(query.period.end, now)
    last = local_day(max(until - timedelta(microseconds=1), query.period.start), zone)
    last_day = days(last, last + DAY, zone)
    whole = last if last_day.end <= now else last - DAY
    first = whole - (WHOLE_DAYS - 1) * DAY
    return Window(zone, days(first, last + DAY, zone), last_day, last, whole)


def profiles(
    query: CostQuery,
    users: Sequence[RankedUser],
    peers: Concentration,
    now: datetime,
    currency: str,
) -> tuple[dict[int, Profile], str]:
    """By number; and why not all labels could be looked for, or "". Reads days of these users, so
    they should be few."""
    window = window_of(query, now)
    held = costs.read_user_days(
        query.replace(period=window.period), [each.number for each in users]
    )
    noticed, note = in_requests(query, held, window)
    return {
        each.number: Profile(
            tuple(held.get(each.number, ())),
            (
                *labels_of_days(each, held.get(each.number, ()), peers, window, currency),
                *labels_of_requests(each.number, noticed),
            ),
        )
        for each in users
    }, note


def noticed_in_requests(
    query: CostQuery, numbers: Sequence[int], now: datetime
) -> tuple[list[Noticed], str]:
    """What the single requests of these users tell, of which day; and why not all of them could be
    looked at, or ""."""
    window = window_of(query, now)
    held = costs.read_user_days(query.replace(period=window.period), numbers)
    return in_requests(query, held, window)


def labels_of_requests(number: int, noticed: Sequence[Noticed]) -> list[Label]:
    """Each kind once, of the day that was looked at first."""
    theirs = [label for suspect, label, _ in noticed if suspect.number == number]
    return list({label.kind: label for label in reversed(theirs)}.values())[::-1]


def labels_of_days(
    user: RankedUser, found: Sequence[UserDay], peers: Concentration, window: Window, currency: str
) -> list[Label]:
    past = Past.of(found, window.whole)
    told = (
        heavy(user.place, user.cost, peers, currency),
        growing(past, currency),
        bursty(past, currency),
    )
    return [label for label in told if label]


def suspects_of(number: int, found: Sequence[UserDay], window: Window) -> list[Suspect]:
    """The last whole day, where there is enough of it, and the two most sudden recent ones."""
    past = Past.of(found, window.last)
    recent = [
        Suspect(number, each.day, each.requests, past.usual_requests(each.day))
        for each in found
        if each.day > window.last - RECENT and each.requests >= FEWEST_REQUESTS
    ]
    sudden = [each for each in recent if each.requests >= SUDDEN * each.usual]
    chosen = [each for each in recent if each.day == window.whole]
    chosen += sorted(sudden, key=lambda each: each.suddenness)[-2:]
    return list(dict.fromkeys(chosen))


def in_requests(
    query: CostQuery, held: Mapping[int, Sequence[UserDay]], window: Window
) -> tuple[list[Noticed], str]:
    found: list[Noticed] = []
    waiting = batches(
        [each for n, days_of in held.items() for each in suspects_of(n, days_of, window)]
    )
    for batch in waiting[:MOST_READS]:
        span = days(batch[0].day, batch[0].day + DAY, query.zone)
        try:
            pulses = requests.read_pulses(query, span, [each.number for each in batch])
        except QueryTooSlow:
            return found, TOO_SLOW
        for suspect in batch:
            if suspect.number in pulses:
                label = label_of(pulses[suspect.number], suspect, window)
                day = next(each for each in held[suspect.number] if each.day == suspect.day)
                found += [(suspect, label, day)] if label else []
    left = {each.number for batch in waiting[MOST_READS:] for each in batch}
    return found, LEFT.format(len(left)) if left else ""


def batches(suspects: Sequence[Suspect]) -> list[list[Suspect]]:
    """Of one day each and of no more requests than are read at once, but for users who have more by
    themselves; the most sudden ones first."""
    found: list[list[Suspect]] = []
    filling: dict[date, list[Suspect]] = {}
    for each in sorted(suspects, key=lambda each: -each.suddenness):
        batch = filling.get(each.day)
        if batch is None or sum(held.requests for held in batch) + each.requests > MOST_REQUESTS:
            batch = filling[each.day] = []
            found.append(batch)
        batch.append(each)
    return found


def label_of(pulse: Pulse, suspect: Suspect, window: Window) -> Label | None:
    """A program that has just run away is no bot that always calls."""
    loop = runaway_loop(pulse, suspect.day, suspect.usual, window.last)
    return loop or bot_like(pulse)
