"""The same call told by several records is one call.

Instrumentations stand on each other's shoulders: LangChain's span is around OpenAI's, an
instrumentation's around the Anthropic SDK's own. Records of one response are one call. A call that
is the parent of calls is told once more by them when it carries no usage, or the usage of one of
them, or the sum of all. What a body does not show (exporters send what has ended, so children
often come a body earlier than their parent) is remembered for a while in this process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ingest.doors.otlp.calls import Call, Family, SpanId
from ingest.doors.otlp.counting import merged
from ingest.doors.otlp.memory import Memory, Reading, summed

DEEPEST = 100


class Kinship:
    """Which spans were counted lately, as what; shared by all bodies of a process."""

    def __init__(self) -> None:
        self._memory = Memory()

    def distinct(self, family: Family, source: str) -> tuple[list[Call], Reading]:
        """Every call of a body once, its records merged; none that an earlier body told.

        The reading is to be kept or forgotten once it is known whether the calls are stored.
        """
        calls, same = _by_response(family.calls)
        with self._memory.reading(source, {call.place[0] for call in calls}) as reading:
            return _Body(calls, same, family.parents, reading).kept(), reading


class _Body:
    """The calls of one body, and what is known besides while they are looked at."""

    def __init__(
        self,
        calls: list[Call],
        same: dict[SpanId, SpanId],
        parents: dict[SpanId, SpanId],
        reading: Reading,
    ) -> None:
        self._calls = calls
        self._same = same
        self._parents = parents
        self._reading = reading

    def kept(self) -> list[Call]:
        by_place = {call.place: call for call in self._calls if call.place[1]}
        children = _children(self._calls, by_place, self._same, self._parents)
        dropped: set[int] = set()
        for call in reversed(_parents_first(self._calls, children)):
            offspring = [each for each in children.get(call.place, ()) if id(each) not in dropped]
            if self._is_told_twice(call, offspring, dropped):
                dropped.add(id(call))
                self._reading.note_told_by_others(call.place)
        kept = [call for call in self._calls if id(call) not in dropped]
        self._remember(kept)
        return kept

    def _is_told_twice(self, call: Call, offspring: Sequence[Call], dropped: set[int]) -> bool:
        totals, reading = call.counts.totals, self._reading
        if not offspring and reading.was_told_by_others(call.place):
            return True
        if offspring:
            if (told := _telling(call, offspring)) is None:
                return False
            if totals is not None and reading.was_counted(call.place, totals):
                # A log record told of it before: the children are told by it.
                dropped.update(id(each) for each in told)
                return False
            for each in told:
                _absorb(each, call, alone=len(told) == 1)
            return True
        earlier = reading.usage_of_children(call.place)
        if earlier and (totals is None or totals in earlier or totals == summed(earlier)):
            return True
        return totals is not None and reading.was_counted(call.parent, totals)

    def _remember(self, kept: Iterable[Call]) -> None:
        reading = self._reading
        for index, call in enumerate(kept):
            if not call.response_id and call.place[1]:
                reading.note_counted(index, call.place, call.counts.totals)
            if call.parent[1]:
                parent = self._same.get(call.parent, call.parent)
                reading.note_child(index, parent, call.place, call.counts.totals)
        # A span between two calls passes on what is known of its children.
        for place, parent in self._parents.items():
            if parent[1]:
                reading.pass_on(place, parent)


def _by_response(calls: list[Call]) -> tuple[list[Call], dict[SpanId, SpanId]]:
    """One call per response, and which span each merged one has become."""
    found: dict[str, Call] = {}
    others: list[Call] = []
    same: dict[SpanId, SpanId] = {}
    for call in calls:
        name = _identity(call)
        first = found.setdefault(name, call)
        if first is call:
            continue
        better, worse = (call, first) if call.detail > first.detail else (first, call)
        _absorb(better, worse, alone=True)
        found[name] = better
        others.append(worse)
    if others:
        for call in calls:
            name = _identity(call)
            same[call.place] = found[name].place
    return list(found.values()), same


def _identity(call: Call) -> str:
    """What two records of one call share; one that names neither response nor span is alone."""
    trace, span = call.place
    return call.response_id or (f"{trace}-{span}" if span else f"#{id(call)}")


def _absorb(call: Call, other: Call, *, alone: bool) -> None:
    """What only the other record says is true of the call too; of its usage only when it is one."""
    for field, value in other.fields.items():
        if alone or field in _SHARED:
            call.fields.setdefault(field, value)
    call.tags = call.tags | {name: tag for name, tag in other.tags.items() if name not in call.tags}
    if alone:
        call.counts = merged(call.counts, other.counts)
        call.end = call.end or other.end
        if not call.parent[1]:
            call.parent = other.parent


_SHARED = ("user", "session", "feature", "workflow", "agent", "team", "environment", "variant")


def _children(
    calls: Iterable[Call],
    by_place: dict[SpanId, Call],
    same: dict[SpanId, SpanId],
    parents: dict[SpanId, SpanId],
) -> dict[SpanId, list[Call]]:
    """Of each call the nearest calls below it, past spans that are none."""
    children: dict[SpanId, list[Call]] = {}
    for call in calls:
        place = call.parent
        for _ in range(DEEPEST):
            if not place[1]:
                break
            known = by_place.get(same.get(place, place))
            if known is not None and known is not call:
                children.setdefault(known.place, []).append(call)
                break
            above = known.parent if known is not None else parents.get(place)
            if above is None or above == place:
                break
            place = above
    return children


def _parents_first(calls: list[Call], children: dict[SpanId, list[Call]]) -> list[Call]:
    below = {id(each) for offspring in children.values() for each in offspring}
    order = [call for call in calls if id(call) not in below]
    walked: set[int] = set()
    for call in order:  # grows while it is walked
        if id(call) not in walked:  # spans may claim to be their own ancestors
            walked.add(id(call))
            order.extend(children.get(call.place, ()))
    return order


def _telling(call: Call, offspring: Sequence[Call]) -> Sequence[Call] | None:
    """The children that tell what the call tells; None when it is a call besides them."""
    totals = call.counts.totals
    if totals is None:
        return offspring
    for each in offspring:
        if each.counts.totals == totals:
            return [each]
    if totals == summed([each.counts.totals for each in offspring]):
        return offspring
    silent = [each for each in offspring if each.counts.totals is None]
    answered = [each for each in silent if each.fields["status"] == "ok"]
    return answered if len(answered) == 1 and len(silent) == len(offspring) else None
