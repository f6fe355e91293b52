"""One call, told by several: what an event may be known by besides its id.

A provider's response is one call, whichever instrumentation or door tells of it, and whatever id
each gives it. So an event claims the response's name for its source, in the transaction that
stores it: whoever comes second finds the claim and is a duplicate. An event that does not say when
it was claims its id for later days.

Events without another name cost a look at one field each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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

_SQL = Path(__file__).parent / "sql"
CLAIM_ALIASES = (_SQL / "claim_aliases.sql").read_text()
KNOWN_ALIASES = (_SQL / "known_aliases.sql").read_text()
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


class Claims:
    """The aliases of one commit's facts; those that are not there yet are claimed by `take`."""

    def __init__(
        self, portions: Sequence[Sequence[Fact]], submissions: Sequence[Submission]
    ) -> None:
        """`portions` are the facts of each submission."""
        self._wanted: dict[Key, tuple[_Teller, Key]] = {}  # by alias: by whom, for which event
        self._silent: list[tuple[Key, _Teller, Key]] = []  # of events that claim nothing
        self._undated: dict[bytes, Key] = {}
        self._told: set[Key] = set()
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
        return {day for _, day in self._wanted}

    def take(self, connection: Connection) -> set[Key]:
        """Claim what is free, within the transaction of the events; returns the keys of those that
        tell of a call which is counted already."""
        if not (self._wanted or self._silent or self._undated):
            return self._told
        told = set(self._told)
        if self._undated:
            told |= self._seen_lately(connection)
        taken = self._wanted.keys() - self._claimed(connection)
        asked = [(alias, *self._wanted[alias]) for alias in taken] + self._silent
        if asked:
            known = dict(_known(connection, {alias for alias, _, _ in asked}))
            for alias, teller, event in asked:
                if alias in known and teller.tells_of_the_same(known[alias]):
                    told.add(event)
        return told

    def _add_response(self, fact: Fact, submission: Submission) -> None:
        event = fact.event
        name = event.response_id or event.id
        if len(name) < SHORTEST_RESPONSE_ID or (event.cache or "none") != "none":
            return  # a cache hit repeats the id of the answer that it is
        # What the gateway reads again it names by the response.
        by_gateway = submission.format == _GATEWAY and event.id != name
        teller = _Teller(family_of(event.provider or ""), by_gateway)
        key = _alias("response", submission.scope.source, name)
        if any(fact.tokens) and event.status != "aborted":
            # Only forward: who comes early on the next day claims that day as well.
            late = fact.started_at.hour >= 24 - MIDNIGHT_HOURS
            self._want(key, range(fact.day, fact.day + 1 + late), teller, fact)
        else:
            # What was broken off knows nothing or guesses, and must not hide the record of somebody
            # who saw the answer's end.
            self._silent.append(((key, fact.day), teller, (fact.event_key, fact.day)))

    def _add_undated(self, fact: Fact, source: str) -> None:
        key = _alias("undated", source, fact.event.id)
        self._undated[key] = (fact.event_key, fact.day)
        self._want(key, range(fact.day, fact.day + 2), _Teller(0, False), fact)

    def _want(self, key: bytes, days: Iterable[int], teller: _Teller, fact: Fact) -> None:
        mine = (fact.event_key, fact.day)
        for day in days:
            first, event = self._wanted.setdefault((key, day), (teller, mine))
            if event != mine and first.tells_of_the_same(teller):
                self._told.add(mine)

    def _claimed(self, connection: Connection) -> set[Key]:
        """Those of the wanted that were free."""
        if not self._wanted:
            return set()
        tellers = self._wanted.values()
        cursor = connection.execute(
            CLAIM_ALIASES,
            {
                "keys": _array(key.hex() for key, _ in self._wanted),
                "days": _array(str(day) for _, day in self._wanted),
                "families": _array(str(teller.family) for teller, _ in tellers),
                "by_gateway": _array("ft"[teller.by_gateway] for teller, _ in tellers),
            },
            binary=True,
        )
        if cursor.rowcount == len(self._wanted):
            return set(self._wanted)
        return set(cursor.fetchall())

    def _seen_lately(self, connection: Connection) -> set[Key]:
        days = {
            before
            for _, day in self._undated.values()
            for before in range(day - UNDATED_DAYS + 1, day)
        }
        looked_for = {(key, day) for key in self._undated for day in days}
        return {self._undated[key] for (key, _), _ in _known(connection, looked_for)}


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


def _alias(kind: str, source: str, name: str) -> bytes:
    written = f"{kind}\0{source}\0{name}".encode()
    return blake2b(written, digest_size=16, person=b"alias").digest()


def _array(elements: Iterable[str]) -> str:
    """As PostgreSQL writes an array of numbers; in half the time that psycopg takes for a list."""
    return f"{{{','.join(elements)}}}"


def _known(connection: Connection, wanted: set[Key]) -> Iterator[tuple[Key, _Teller]]:
    """Those of these aliases that are claimed, and by whom."""
    cursor = connection.execute(
        KNOWN_ALIASES,
        {
            "keys": list({key.hex() for key, _ in wanted}),
            "dates": [_FIRST_DAY + timedelta(days=day) for day in {day for _, day in wanted}],
        },
        binary=True,
    )
    for key, day, family, by_gateway in cursor:
        if (key, day) in wanted:
            yield (key, day), _Teller(family, by_gateway)
