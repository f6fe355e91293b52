"""One call, told by several: what an event may be known by besides its id.

A provider's response is one call, whichever instrumentation or door tells of it, and whatever id
each gives it. So an event claims the response's name for its source, in the transaction that
stores it: whoever comes second finds the claim and is a duplicate. An event that does not say when
it was claims its id for later days.

Events without another name cost a look at one field each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from psycopg import Connection

from ingest.batches import Submission
from ingest.events import SHORTEST_RESPONSE_ID, TranslatedEvent
from ingest.facts import Fact
from ingest.response_ids import response_name

_SQL = Path(__file__).parent / "sql"
CLAIM_ALIASES = (_SQL / "claim_aliases.sql").read_text()
KNOWN_ALIASES = (_SQL / "known_aliases.sql").read_text()
LATELY_ALIASES = (_SQL / "lately_aliases.sql").read_text()
_FIRST_DAY = date(2000, 1, 1)
_GATEWAY = "litellm"
# How the ids of responses begin, where a client takes one for the event's id.
_RESPONSE_IDS = ("chatcmpl-", "cmpl-", "resp_", "msg_")
# Two records of one call put its start this far apart at most, or it counts twice around midnight.
MIDNIGHT_HOURS = 2
# OpenMeter looks as far back for the id of an event.
UNDATED_DAYS = 32
# Packages for OpenAI's API call every server that speaks it openai.
_FAMILIES = {
    **dict.fromkeys(("", "unknown"), ""),
    **dict.fromkeys(
        (
            *("deepseek", "groq", "mistral", "mistral_ai", "moonshot_ai", "perplexity", "x_ai"),
            *("xai", "openrouter", "fireworks_ai", "together_ai", "vllm", "hosted_vllm", "ollama"),
            *("litellm", "litellm_proxy", "cerebras", "sambanova", "nvidia_nim"),
        ),
        "openai",
    ),
    **dict.fromkeys(("gemini", "vertex_ai", "vertexai"), "google"),
    **dict.fromkeys(("bedrock", "bedrock_converse", "aws"), "aws.bedrock"),
}

Key = tuple[bytes, int]  # an event's, or an alias', and its day


class _Teller(NamedTuple):
    """Who told of a call by an alias."""

    family: int
    by_gateway: bool

    def tells_of_the_same(self, other: _Teller) -> bool:
        """Whether two events of one alias are one call."""
        if self.by_gateway and other.by_gateway:
            return False  # each call of the gateway has an id of its own
        return self.family == other.family or not self.family or not other.family


_Want = tuple[Key, _Teller, Key]  # an alias, by whom, for which event


class _Wants:
    """What the events of one commit want to be known by."""

    def __init__(self) -> None:
        self.wanted: dict[Key, tuple[_Teller, Key]] = {}  # for the first that wants it
        self.others: list[_Want] = []  # those after the first, of another kind of provider
        self.silent: list[_Want] = []  # of events that claim nothing
        self.told: set[Key] = set()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.silent)

    def want(self, alias: Key, teller: _Teller, mine: Key) -> None:
        first, event = self.wanted.setdefault(alias, (teller, mine))
        if event == mine:
            return
        if first.tells_of_the_same(teller):
            self.told.add(mine)
        elif first.family != teller.family:
            self.others.append((alias, teller, mine))

    def take(self, connection: Connection) -> _Wants:
        """Claim what is free; returns what is left to want, in the name of the provider's kind,
        where the alias is another kind's."""
        left = _Wants()
        taken = self.wanted.keys() - _claimed(connection, self.wanted)
        claiming = [(alias, *self.wanted[alias]) for alias in taken] + self.others
        if not (claiming or self.silent):
            return left
        asked = {alias for wants in (claiming, self.silent) for alias, _, _ in wants}
        known = dict(_known(connection, asked))
        for wants, claims in ((claiming, True), (self.silent, False)):
            for alias, teller, event in wants:
                if (by := known.get(alias)) is None:
                    continue
                if teller.tells_of_the_same(by):
                    self.told.add(event)
                elif teller.family != by.family:
                    own = (_alias("family", str(teller.family), alias[0].hex()), alias[1])
                    if claims:
                        left.want(own, teller, event)
                    else:
                        left.silent.append((own, teller, event))
        return left


class Claims:
    """The aliases of one commit's facts; those that are not there yet are claimed by `take`."""

    def __init__(
        self, portions: Sequence[Sequence[Fact]], submissions: Sequence[Submission]
    ) -> None:
        """`portions` are the facts of each submission."""
        self._wants = _Wants()
        self._undated: dict[bytes, Key] = {}
        for facts, submission in zip(portions, submissions, strict=True):
            for fact in facts:
                event = fact.event
                if event.response_id is not None or event.id.startswith(_RESPONSE_IDS):
                    self._add_response(fact, submission)
                if type(event) is TranslatedEvent and event.undated:
                    self._add_undated(fact, submission.scope.source)

    @property
    def days(self) -> set[int]:
        """The days whose partitions are needed besides those of the events."""
        return {day for _, day in self._wants.wanted}

    def take(self, connection: Connection) -> set[Key]:
        """Claim what is free, within the transaction of the events; returns the keys of those that
        tell of a call which is counted already."""
        told = self._seen_lately(connection) if self._undated else set()
        wants = self._wants
        while wants:  # twice at most: the second time by the kind of provider
            left = wants.take(connection)
            told |= wants.told
            wants = left
        return told

    def _add_response(self, fact: Fact, submission: Submission) -> None:
        event = fact.event
        name = response_name(event.response_id or event.id)
        if len(name) < SHORTEST_RESPONSE_ID or (event.cache or "none") != "none":
            return  # a cache hit repeats the id of the answer that it is
        # What the gateway reads again it names by the response.
        by_gateway = submission.format == _GATEWAY and event.id != name
        teller = _Teller(family_of(event.provider or ""), by_gateway)
        key = response_alias(submission.scope.source, name)
        if any(fact.tokens) and event.status != "aborted":
            # Only forward: who comes early on the next day claims that day as well.
            late = fact.started_at.hour >= 24 - MIDNIGHT_HOURS
            self._want(key, range(fact.day, fact.day + 1 + late), teller, fact)
        else:
            # What was broken off knows nothing or guesses, and must not hide the record of somebody
            # who saw the answer's end.
            self._wants.silent.append(((key, fact.day), teller, (fact.event_key, fact.day)))

    def _add_undated(self, fact: Fact, source: str) -> None:
        key = _alias("undated", source, fact.event.id)
        self._undated[key] = (fact.event_key, fact.day)
        self._want(key, range(fact.day, fact.day + 2), _Teller(0, False), fact)

    def _want(self, key: bytes, days: Iterable[int], teller: _Teller, fact: Fact) -> None:
        mine = (fact.event_key, fact.day)
        for day in days:
            self._wants.want((key, day), teller, mine)

    def _seen_lately(self, connection: Connection) -> set[Key]:
        days = [day for _, day in self._undated.values()]
        cursor = connection.execute(
            LATELY_ALIASES,
            {
                "keys": _array(key.hex() for key in self._undated),
                "first": _date(min(days) - UNDATED_DAYS + 1),
                "last": _date(max(days) - 1),
            },
            binary=True,
        )
        return {
            self._undated[key]
            for key, day in cursor
            if 0 < self._undated[key][1] - day < UNDATED_DAYS
        }


def family_of(provider: str) -> int:
    """A number for all names of a provider's kind; 0 where it is not known."""
    return _family(provider.strip().lower())


@lru_cache(1024)
def _family(word: str) -> int:
    if "openai" in word or "azure" in word:
        named = "openai"
    elif word.startswith(("gcp.", "google")):
        named = "google"
    else:
        named = _FAMILIES.get(word, word)
    return crc32(named.encode()) % 32_767 + 1 if named else 0


def response_alias(source: str, name: str) -> bytes:
    """What a response of this name (response_ids.py) is claimed by."""
    return _alias("response", source, name)


def _alias(kind: str, source: str, name: str) -> bytes:
    written = f"{kind}\0{source}\0{name}".encode()
    return blake2b(written, digest_size=16, person=b"alias").digest()


def _array(elements: Iterable[str]) -> str:
    """As PostgreSQL writes an array of numbers; in half the time that psycopg takes for a list."""
    return f"{{{','.join(elements)}}}"


def _claimed(connection: Connection, wanted: Mapping[Key, tuple[_Teller, Key]]) -> set[Key]:
    """Those of the wanted that were free."""
    if not wanted:
        return set()
    tellers = wanted.values()
    cursor = connection.execute(
        CLAIM_ALIASES,
        {
            "keys": _array(key.hex() for key, _ in wanted),
            "days": _array(str(day) for _, day in wanted),
            "families": _array(str(teller.family) for teller, _ in tellers),
            "by_gateway": _array("ft"[teller.by_gateway] for teller, _ in tellers),
        },
        binary=True,
    )
    if cursor.rowcount == len(wanted):
        return set(wanted)
    return set(cursor.fetchall())


def _known(connection: Connection, wanted: set[Key]) -> Iterator[tuple[Key, _Teller]]:
    """Those of these aliases that are claimed, and by whom."""
    cursor = connection.execute(
        KNOWN_ALIASES,
        {
            "keys": _array(key.hex() for key in {key for key, _ in wanted}),
            "dates": [_date(day) for day in {day for _, day in wanted}],
        },
        binary=True,
    )
    for key, day, family, by_gateway in cursor:
        if (key, day) in wanted:
            yield (key, day), _Teller(family, by_gateway)


def _date(day: int) -> date:
    return _FIRST_DAY + timedelta(days=day)
