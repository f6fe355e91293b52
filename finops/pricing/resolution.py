"""Which ledger lines a request is rated with.

A hit of the response cache takes the cache's own line and nothing else. Otherwise the list price
is the self-hosted rate where one matches, else the public catalogue's line at the request's time,
service tier and context length (the standard line where the tier is not listed apart; none where
the tier is one nobody knows, such as bought capacity: that is not the standard price). A fleet is
self-hosted: its requests never take a public price. The contract line changes the list price and
wins over everything where it names unit prices; a contract of only a discount does not discount
one's own machines. Where nobody lists a price, a contract's unit prices are the list price too.

Among several matching contract (or self-hosted) lines the most specific wins: a literal fleet
before a pattern, a literal model, more literal characters of the model, a literal provider, more
of the provider, a named service tier, a higher context threshold, a daily window, the later start,
the later id.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from fnmatch import translate
from itertools import pairwise, product
from typing import NamedTuple

from finops.exchange import Exchange
from finops.pricing.formula import in_currency, unit_prices
from finops.pricing.lines import PriceLine
from finops.pricing.matching import match
from ingest.costs import Tariff
from ingest.events import KNOWN_TIERS
from ingest.rating import Rate

# One entry per combination clients send; past this many somebody sends nonsense: start afresh.
MAX_TABLES = 4_000
ONE = Decimal(1)
DAWN = datetime.min.replace(tzinfo=UTC)
ANY = frozenset({"", "*"})
PRICED_TIERS = KNOWN_TIERS | {""}


class Request(NamedTuple):
    """What decides the price of a request besides its time and size."""

    provider: str
    model: str
    service_tier: str
    cache: str
    fleet: str


class Window(NamedTuple):
    """Where one rate holds: [starts, ends), [daily_from, daily_to) in UTC, (input_over, input_to];
    None is an open end."""

    starts: datetime | None
    ends: datetime | None
    daily_from: time | None
    daily_to: time | None
    input_over: int | None
    input_to: int | None
    rate: Rate


class Table(NamedTuple):
    """Every rate of one Request: a grid of time spans × daily windows × context lengths.

    Cell (i, j, k) holds from instants[i - 1] until instants[i], from times[j - 1] until times[j]
    of each UTC day, for inputs over thresholds[k - 1] tokens up to thresholds[k].
    """

    instants: Sequence[datetime]
    times: Sequence[time]
    thresholds: Sequence[int]
    rates: Sequence[Rate | None]

    def at(self, at: datetime, input_tokens: int) -> Rate | None:
        if len(self.rates) == 1:  # as most have
            return self.rates[0]
        cell = bisect_right(self.instants, at)
        if self.times:
            now = at.astimezone(UTC).time()
            cell = cell * (len(self.times) + 1) + bisect_right(self.times, now)
        if self.thresholds:
            cell = cell * (len(self.thresholds) + 1) + bisect_left(self.thresholds, input_tokens)
        return self.rates[cell]

    def windows(self) -> Iterator[Window]:
        """The cells in which a price is known, as bounds; what SQL joins events with."""
        spans = product(
            pairwise((None, *self.instants, None)),
            pairwise((None, *self.times, None)),
            pairwise((None, *self.thresholds, None)),
        )
        for (instants, times, thresholds), rate in zip(spans, self.rates, strict=True):
            if rate is not None:
                yield Window(*instants, *times, *thresholds, rate)


class Names(NamedTuple):
    """Everything a pattern may match: what the client sent and what the catalogue calls it."""

    providers: frozenset[str]
    models: frozenset[str]
    fleet: str


class Pattern(NamedTuple):
    """A line of patterns, ready to match."""

    line: PriceLine
    provider: re.Pattern[str] | None
    model: re.Pattern[str] | None
    fleet: re.Pattern[str] | None

    @classmethod
    def of(cls, line: PriceLine) -> Pattern:
        return cls(line, *(_compile(glob) for glob in (line.provider, line.model, line.fleet)))

    def matches(self, names: Names, service_tier: str) -> bool:
        return (
            self.line.service_tier in ("", service_tier)
            and (self.provider is None or any(map(self.provider.match, names.providers)))
            and (self.model is None or any(map(self.model.match, names.models)))
            and (self.fleet is None or bool(names.fleet and self.fleet.match(names.fleet)))
        )


class RateCard:
    """Every price in force, in memory; implements ingest.rating.RateCard.

    A combination is looked up once; its table then takes well under a microsecond a request. Safe
    to share by threads. Lines of another currency hold on days whose exchange rates are known.
    """

    def __init__(
        self, lines: Iterable[PriceLine], version: int, exchange: Exchange | None = None
    ) -> None:
        self.version = version
        self._exchange = exchange
        self._catalog: defaultdict[tuple[str, str], list[PriceLine]] = defaultdict(list)
        self._patterns: defaultdict[str, list[Pattern]] = defaultdict(list)
        self._tables: dict[tuple[str, str, str, str, str], Table] = {}
        self._lines: dict[int, PriceLine] = {}
        self._tariffs: dict[Rate, Tariff] = {}
        for line in sorted(lines, key=rank, reverse=True):
            self._lines[line.id] = line
            if line.kind == "catalog":
                self._catalog[line.provider, line.model].append(line)
            else:
                self._patterns[line.kind].append(Pattern.of(line))

    def rates(
        self, *, provider: str, model: str, service_tier: str, cache: str, fleet: str
    ) -> Table:
        """What requests of this combination cost, at any time and of any size."""
        return self.table(Request(provider, model, service_tier, cache, fleet))

    def table(self, request: Request) -> Table:
        """Every rate of a combination over all time."""
        if (known := self._tables.get(request)) is not None:
            return known
        lists, contracts = self._candidates(request)
        lines = [*lists, *contracts]
        turns = {at for line in lines for at in (line.effective_from, line.effective_to) if at}
        if self._exchange and any(self._is_foreign(line) for line in lines):
            turns.update(self._exchange.instants())
        instants = sorted(turns)
        times = sorted({at for line in lines for at in (line.daily_from, line.daily_to) if at})
        thresholds = sorted({line.context_over for line in lines if line.context_over})
        rates = [
            self._fixed(_pick(lists, contracts, at, daily, threshold + 1), at)
            for at, daily, threshold in product(
                (DAWN, *instants), (time(), *times), (0, *thresholds)
            )
        ]
        table = Table(instants, times, thresholds, rates)
        if len(self._tables) >= MAX_TABLES:
            self._tables.clear()
        self._tables[request] = table
        return table

    def tariff(self, rate: Rate) -> Tariff:
        """The unit prices that a rate's two lines come to."""
        if (known := self._tariffs.get(rate)) is None:
            known = self._tariffs[rate] = Tariff(*unit_prices(*self.lines(rate)))
        return known

    def lines(self, rate: Rate) -> tuple[PriceLine, PriceLine | None]:
        """The lines of a rate that this card gave, in the currency of the costs."""
        contract = rate.contract_price_id
        listed = self._lines[rate.price_id]
        agreed = None if contract is None else self._lines[contract]
        if rate.fixing_id is None or self._exchange is None:
            return listed, agreed
        of_list, of_contract = self.factors(rate)
        listed = in_currency(listed, self._exchange.into, of_list)
        return listed, agreed and in_currency(agreed, self._exchange.into, of_contract)

    def factors(self, rate: Rate) -> tuple[Decimal, Decimal]:
        """What the prices of both lines of a rate are multiplied by."""
        return self._factor(rate.price_id, rate), self._factor(rate.contract_price_id, rate)

    def _factor(self, pk: int | None, rate: Rate) -> Decimal:
        if pk is None or rate.fixing_id is None or self._exchange is None:
            return ONE
        line = self._lines[pk]
        if not self._is_foreign(line):
            return ONE
        return self._exchange.by_id(rate.fixing_id).factor(line.currency, self._exchange.into)

    def _is_foreign(self, line: PriceLine) -> bool:
        """Whether its prices are in another currency; a discount is in none."""
        into = self._exchange.into if self._exchange else line.currency
        return line.has_prices and line.currency != into

    def _fixed(self, rate: Rate | None, at: datetime) -> Rate | None:
        """The rate with the exchange rates of its day; None where it needs some and nobody knows
        them."""
        lines = [self._lines[pk] for pk in rate or () if pk is not None]
        currencies = {line.currency for line in lines if self._is_foreign(line)}
        if rate is None or self._exchange is None or not currencies:
            return rate
        fixing = self._exchange.fixing(currencies, at.astimezone(UTC).date())
        return rate._replace(fixing_id=fixing.id) if fixing else None

    def _candidates(self, request: Request) -> tuple[list[PriceLine], list[PriceLine]]:
        """Lines that may give the list price and lines that may change it, best first."""
        provider, model, fleet = (
            name.lower() for name in (request.provider, request.model, request.fleet)
        )
        found = None if fleet else match(provider, model)
        names = Names(
            frozenset({provider, found.provider} if found else {provider}),
            frozenset({model, found.model.lower()} if found else {model}),
            fleet,
        )
        tier = "" if request.service_tier == "standard" else request.service_tier
        if request.cache not in ("", "none"):
            hits = self._matching("cache_hit", names, tier)
            return [line for line in hits if line.cache == request.cache], []
        lists = self._matching("self_hosted", names, tier)
        if found and request.service_tier in PRICED_TIERS:
            tiers = ("", tier if found.owner == found.provider else "")
            listed = self._catalog.get((found.owner, found.model), ())
            lists += [line for line in listed if line.service_tier in tiers]
        return lists, self._matching("contract", names, tier)

    def _matching(self, kind: str, names: Names, tier: str) -> list[PriceLine]:
        # Only catalogue lines write the standard tier as '', so that other tiers fall back on it;
        # a contract may name it.
        return [
            pattern.line
            for pattern in self._patterns[kind]
            if pattern.matches(names, tier or "standard")
        ]


def _pick(
    lists: Sequence[PriceLine],
    contracts: Sequence[PriceLine],
    at: datetime,
    daily: time,
    input_tokens: int,
) -> Rate | None:
    listed = next((line for line in lists if line.holds(at, daily, input_tokens)), None)
    holding = (line for line in contracts if line.holds(at, daily, input_tokens))
    if listed is not None and listed.kind == "catalog":
        contract = next(holding, None)
    else:
        contract = next((line for line in holding if line.has_prices), None)
    if listed is not None:
        return Rate(listed.id, contract.id if contract else None)
    return Rate(contract.id, None) if contract else None


def _compile(glob: str) -> re.Pattern[str] | None:
    return None if glob in ANY else re.compile(translate(glob.lower()))


def rank(line: PriceLine) -> tuple[object, ...]:
    """Sorts the line that wins last."""
    return (
        *_specificity(line.fleet),
        *_specificity(line.model),
        *_specificity(line.provider),
        line.service_tier != "",
        line.context_over,
        line.daily_from is not None,
        line.effective_from or DAWN,
        line.id,
    )


def _specificity(glob: str) -> tuple[bool, int]:
    literal = re.sub(r"\[[^]]*]|[*?]", "", glob)
    return glob != "" and literal == glob, len(literal)
