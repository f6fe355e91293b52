"""From an event as its client wrote it to a fact as it is stored: checked, disjoint, attributed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import force_setattr

from ingest.events import SERVICE_TIERS, Event, TranslatedEvent
from ingest.rejections import TOKEN_FIELDS, Rejected
from ingest.usage import TokenBuckets, disjoint, read_usage

_encode = msgspec.json.encode
MAX_AHEAD = timedelta(hours=1)
# NUMERIC is exact at any size, and a client's exponent could make it a gigabyte.
MAX_DECIMAL_PLACES = 40
MAX_EXPONENT = 12
MAX_AMOUNT = Decimal(10) ** MAX_EXPONENT
MAX_TIER_LENGTH = 200  # as of every name
EPOCH_DAY = datetime(2000, 1, 1, tzinfo=UTC).toordinal()


class Attribution(NamedTuple):
    """Who and what a request's cost belongs to, low-cardinality values only; '' is not given."""

    provider: str
    model: str
    operation: str
    service: str
    feature: str
    team: str
    environment: str
    region: str
    latency_tier: str
    service_tier: str
    status: str
    cache: str
    fleet: str
    variant: str
    tags: tuple[tuple[str, str], ...] = ()


class Scope(NamedTuple):
    """What an ingest key gives to its events where they do not say it themselves."""

    key_id: int
    source: str  # identity of events: the same id from the same source is the same event
    service: str
    team: str
    environment: str


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One event, ready to be stored. `day` counts UTC days from 2000-01-01."""

    event_key: bytes
    day: int
    started_at: datetime
    attribution: Attribution
    user: str
    tokens: TokenBuckets
    normalised: bool
    event: Event


def event_key(source: str, event_id: str) -> bytes:
    """The 16 bytes that stand for an id of a source: what makes an event count once a day."""
    digest = source_digest(source).copy()
    digest.update(event_id.encode())
    return digest.digest()


@lru_cache(maxsize=1024)
def source_digest(source: str) -> blake2b:
    """To be copied, and the copy updated with an id."""
    return blake2b(source.encode() + b"\0", digest_size=16)


class LatencyTiers:
    """The configured tiers: (name, upper bound in ms), in rising order; the last has no bound."""

    def __init__(self, tiers: Sequence[tuple[str, float | None]] = ()) -> None:
        bounded = sorted((bound, name) for name, bound in tiers if bound is not None)
        self._bounds = [bound for bound, _ in bounded]
        unbounded = [name for name, bound in tiers if bound is None]
        self._names = [name for _, name in bounded] + (unbounded or [""])

    def of(self, latency_ms: float | None) -> str:
        if latency_ms is None:
            return ""
        return self._names[bisect_left(self._bounds, latency_ms)]


class Window(NamedTuple):
    """When events that are taken may have started."""

    oldest: datetime
    newest: datetime
    first_kept: datetime  # what was before has been dropped

    @classmethod
    def at(cls, now: datetime, retention: timedelta, dropped_before: date = date.min) -> Window:
        oldest = (now - retention).astimezone(UTC)
        # Retention drops whole UTC days, so a day is taken wholly or not at all.
        within_retention = oldest.replace(hour=0, minute=0, second=0, microsecond=0)
        first_kept = datetime.combine(dropped_before, time(), UTC)
        return cls(max(within_retention, first_kept), now + MAX_AHEAD, first_kept)


class Reader:
    """Makes facts of one body's events. Cheap: one per body, for one key at one moment."""

    def __init__(
        self,
        scope: Scope,
        window: Window,
        tiers: LatencyTiers,
        activated_tags: frozenset[str] = frozenset(),
    ) -> None:
        self.scope = scope
        self.oldest, self.newest, self.first_kept = window
        self.tiers = tiers
        self.activated_tags = activated_tags
        self._digest = source_digest(scope.source)
        # A body's events share a few attributions: each is held once.
        self._attributions: dict[tuple[object, ...], Attribution] = {}

    def read(self, event: Event) -> Fact:
        """The event as a fact; Rejected with a named reason when it cannot be taken."""
        if event.model.isspace():
            raise Rejected("empty_model", "model: write the model that answered.")
        started_at = self.moment(event.timestamp)
        provider = event.provider or "unknown"
        tokens, normalised, tier = tokens_of(event, provider)
        if event.gpu_seconds is not None or event.reported_cost is not None:
            check_amounts(event)
        digest = self._digest.copy()
        digest.update(event.id.encode())
        attribution = self._attribution(event, provider, tier)
        if event.tags or event.stages_ms or event.usage is not None:
            _make_small(event)
        return Fact(
            digest.digest(),
            started_at.toordinal() - EPOCH_DAY,
            started_at,
            attribution,
            event.user or "",
            tokens,
            normalised,
            event,
        )

    def _attribution(self, event: Event, provider: str, service_tier: str) -> Attribution:
        scope = self.scope
        values = (
            provider,
            event.model,
            event.operation or "chat",
            event.service or scope.service,
            event.feature or "",
            event.team or scope.team,
            event.environment or scope.environment,
            event.region or "",
            event.latency_tier or self.tiers.of(event.latency_ms),
            service_tier,
            event.status or "ok",
            event.cache or "none",
            event.fleet or "",
            event.variant or "",
            self._dimension_tags(event.tags) if self.activated_tags and event.tags else (),
        )
        found = self._attributions.get(values)
        if found is None:
            found = self._attributions[values] = Attribution._make(values)
        return found

    def moment(self, timestamp: datetime) -> datetime:
        """The timestamp in UTC; Rejected where it is too old or in the future."""
        if timestamp > self.newest:
            raise Rejected(
                "timestamp_in_future",
                "timestamp: more than an hour ahead of the server; check the clock and the zone.",
            )
        if timestamp < self.oldest:
            raise self._too_old(timestamp)
        return timestamp if timestamp.tzinfo is UTC else timestamp.astimezone(UTC)

    def _too_old(self, timestamp: datetime) -> Rejected:
        since = f"timestamp: events are kept since {self.oldest:%Y-%m-%d}; "
        if timestamp < self.first_kept:
            return Rejected(
                "timestamp_too_old",
                since + "older ones were dropped, and would count twice if they came again.",
            )
        return Rejected("timestamp_too_old", since + "older ones are refused.")

    def _dimension_tags(self, tags: dict[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((k, v) for k, v in tags.items() if k in self.activated_tags))


def _make_small(event: Event) -> None:
    """Keep objects within the event as the JSON that is stored, and what was read of it not at
    all: while a fact waits it shall take no more memory than what was sent."""
    for name in ("tags", "stages_ms"):
        if given := getattr(event, name):
            force_setattr(event, name, Raw(_encode(given)))
    if event.usage is not None:
        force_setattr(event, "usage", None)


def tokens_of(event: Event, provider: str) -> tuple[TokenBuckets, bool, str]:
    """Disjoint tokens, whether a convention was guessed, and the service tier."""
    if event.usage is not None:
        return _tokens_of_usage(event, event.usage, provider)
    written = event.cache_write_input_tokens
    creation = event.cache_creation_input_tokens
    if written is not None and creation is not None and written != creation:
        raise Rejected(
            "conflicting_fields",
            "cache_write_input_tokens: another name of cache_creation_input_tokens; send one.",
        )
    tokens = disjoint(
        event.input_tokens or 0,
        event.output_tokens or 0,
        event.cache_read_input_tokens or 0,
        creation or written or 0,
        event.cache_creation_1h_input_tokens or 0,
        event.input_audio_tokens or 0,
        event.reasoning_output_tokens or 0,
        event.output_audio_tokens or 0,
    )
    normalised, tier = False, SERVICE_TIERS[event.service_tier or "standard"]
    if isinstance(event, TranslatedEvent):
        normalised, tier = event.normalised, event.unlisted_tier or tier
    return tokens, normalised, tier


def _tokens_of_usage(
    event: Event, block: dict[str, object], provider: str
) -> tuple[TokenBuckets, bool, str]:
    if any(getattr(event, name) for name in TOKEN_FIELDS):
        raise Rejected(
            "conflicting_fields",
            "usage: send either the provider's usage block or token fields, not both.",
        )
    usage = read_usage(block, provider)
    tier = event.service_tier or _known_tier(usage.service_tier or "")
    return usage.tokens, usage.normalised, SERVICE_TIERS.get(tier, tier)


def _known_tier(given: str) -> str:
    """A provider's word for a tier, which may be one that nobody knows: it is kept, unpriced."""
    word = given.replace("\0", "").strip()[:MAX_TIER_LENGTH].rstrip()
    return word.lower() if word.lower() in SERVICE_TIERS else word or "standard"


def check_amounts(event: Event) -> None:
    for name in ("gpu_seconds", "reported_cost"):
        amount: Decimal | None = getattr(event, name)
        if amount is None:
            continue
        if not amount.is_finite() or amount > MAX_AMOUNT:
            raise Rejected("out_of_range", f"{name}: write a number up to {MAX_AMOUNT}.")
        if amount < 0:
            raise Rejected("negative_number", f"{name}: write 0 or more.")
        exponent = int(amount.as_tuple().exponent)
        if exponent > MAX_EXPONENT:  # of 0, which is no number then that PostgreSQL reads
            raise Rejected("out_of_range", f"{name}: write it without an exponent.")
        if -exponent > MAX_DECIMAL_PLACES:
            raise Rejected(
                "out_of_range", f"{name}: write at most {MAX_DECIMAL_PLACES} decimal places."
            )


def check_characters(event: Event) -> None:
    """Rejected when a stored string holds NUL, which PostgreSQL's text cannot.

    Called only for bodies that hold an escaped NUL somewhere, so that others pay nothing.
    """
    for name, value in msgspec.structs.asdict(event).items():
        texts = [value] if isinstance(value, str) else []
        if isinstance(value, dict) and name != "usage":
            texts = [*value, *(text for text in value.values() if isinstance(text, str))]
        if any("\0" in text for text in texts):
            raise Rejected(
                "invalid_characters",
                f"{name}: remove NUL characters and unpaired surrogates.",
            )
