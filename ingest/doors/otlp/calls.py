"""From spans to model calls: which spans are one, and what each says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from ingest.doors.arrays import MAX_EVENTS, too_many_events
from ingest.doors.otlp.counting import Counts, counts_of, filled
from ingest.doors.otlp.documents import answer_in, invocation_in, object_in, printed_in
from ingest.doors.otlp.records import Group, Pairs, Record
from ingest.doors.otlp.vocabulary import (
    FIELDS_ALONE,
    TAG_PREFIXES,
    bare_name,
    known,
    known_of_resource,
    operation_of,
    tag_name,
)
from ingest.doors.people import is_personal, user_in
from ingest.events import SHORTEST_RESPONSE_ID
from ingest.response_ids import response_name

LONGEST_NAME = 200
LONGEST_ID = 32
MAX_TAGS = 16
LONGEST_TAG = 200

SpanId = tuple[str, str]  # trace and span


class Owner(NamedTuple):
    """What a resource says: names that its calls fall back on, and tags."""

    fields: Mapping[str, str | None]
    tags: Mapping[str, str]


@dataclass(slots=True)
class Call:
    """One model call as one record tells it."""

    place: SpanId
    parent: SpanId
    start: int
    end: int
    operation: str
    response_id: str
    fields: dict[str, Any]
    counts: Counts
    tags: dict[str, str]
    owner: Owner

    @property
    def detail(self) -> int:
        has_tier = "response_tier" in self.fields
        return self.counts.detail + has_tier + bool(self.response_id)


class Family(NamedTuple):
    """The calls of one body, and the parent of every span in it that is none."""

    calls: list[Call]
    parents: dict[SpanId, SpanId]


def read(groups: Iterable[Group]) -> Family:
    """All model calls of a body; Problem 413 when they are too many."""
    family = Family([], {})
    for group in groups:
        owner = _owner(group.resource)
        for record in group.records:
            fields = known(record.pairs) if record.pairs else {}
            operation = operation_of(fields) if fields else None
            trace, span, above = _id(record.trace_id), _id(record.span_id), _id(record.parent_id)
            place, parent = (trace, span), (trace, above if above != span else "")
            if operation is None:
                if place[1]:
                    family.parents[place] = parent
                continue
            family.calls.append(_call(record, place, parent, operation, fields, owner))
            if len(family.calls) > MAX_EVENTS:
                raise too_many_events()
    return family


def _id(given: str) -> str:
    """As it is compared and remembered: '' for zeros, which are no id; of a long one its digest."""
    given = given.replace("\0", "")
    if not given.strip("0"):
        return ""
    if len(given) <= LONGEST_ID:
        return given
    return blake2b(given.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _owner(resource: Pairs) -> Owner:
    fields = known_of_resource(resource)
    if str(fields.get("service", "")).startswith("unknown_service"):
        del fields["service"]  # what the SDK writes where nobody named it
    return Owner({field: name_of(value) for field, value in fields.items()}, tags_in(resource))


def name_of(value: object) -> str | None:
    """A name of the schema's length: a call is not lost for the length of its user's."""
    if value is None:
        return None
    if not isinstance(value, str):
        if not isinstance(value, bool | float | int):
            return None
        value = str(value)
    return value[:LONGEST_NAME].replace("\0", "").strip() or None


def _call(
    record: Record,
    place: SpanId,
    parent: SpanId,
    operation: str,
    fields: dict[str, Any],
    owner: Owner,
) -> Call:
    metadata = object_in(fields.pop("metadata")) if "metadata" in fields else {}
    for name, value in metadata.items():
        if name in _NAMED_IN_METADATA and _is_scalar(value):
            fields.setdefault(_NAMED_IN_METADATA[name], value)
    labels = [each for each in fields.pop("labels", None) or () if isinstance(each, str)]
    tags = {
        tag: "true"
        for label in labels
        if not (":" in label and is_personal(label.partition(":")[0]))
        and (tag := name_of(label)) is not None
    }
    if "user" not in fields and (user := _user_in(record.pairs, metadata, labels)) is not None:
        fields["user"] = user
    tags = (
        tags_in(item for item in metadata.items() if item[0] not in _NAMED_IN_METADATA)
        | tags_in(record.pairs)
        | tags
    )
    counts = _look_inside(fields, counts_of(fields))
    if record.first_token > record.start:
        fields.setdefault("ttft_seconds", (record.first_token - record.start) / 1e9)
    fields["status"] = _status(record, fields)
    response_id = fields.get("response_id")
    usable = (
        isinstance(response_id, str)
        and len(response_id) >= SHORTEST_RESPONSE_ID
        and fields.get("cache_hit") is not True  # which repeats the id of the answer that it is
    )
    return Call(
        place,
        parent,
        record.start,
        record.end,
        operation,
        response_name(str(response_id).replace("\0", "").strip()) if usable else "",
        fields,
        counts,
        tags,
        owner,
    )


_NAMED_IN_METADATA = {
    **{name: name for name in ("team", "feature", "environment", "variant")},
    **{"session_id": "session", "thread_id": "session"},
}


def _user_in(pairs: Pairs, metadata: Mapping[str, Any], labels: Iterable[str]) -> Any:
    """Who the user is where no attribute of that meaning says it."""
    labelled = ((name, value) for name, _, value in (label.partition(":") for label in labels))
    bare = ((bare_name(name), value) for name, value in pairs if name.startswith(TAG_PREFIXES))
    for given in (metadata.items(), bare, labelled):
        user = user_in((name, value) for name, value in given if _is_scalar(value))
        if user is not None:
            return user
    return None


def _look_inside(fields: dict[str, Any], counts: Counts) -> Counts:
    """Fill in what only the texts among the attributes say, and forget them."""
    text, printed = fields.pop("answer", None), fields.pop("usage_object", None)
    invocation = fields.pop("invocation", None)
    if text is not None and not ("response_id" in fields and "response_tier" in fields):
        answer = answer_in(text)
        for field, value in (
            ("response_id", answer.id),
            ("response_model", answer.model),
            ("response_tier", _tier_in(answer.service_tier, answer.usage)),
        ):
            if isinstance(value, str) and value:
                fields.setdefault(field, value)
        counts = filled(counts, answer.usage, str(fields.get("provider", "")))
    if printed is not None:
        counts = filled(counts, printed_in(printed), "")
    if invocation is not None:
        asked = invocation_in(invocation)
        for field, value in (("request_model", asked.model), ("request_tier", asked.service_tier)):
            if isinstance(value, str) and value:
                fields.setdefault(field, value)
    return counts


def _tier_in(service_tier: object, usage: object) -> object:
    """OpenAI says it of the answer, Anthropic of the usage."""
    if service_tier is None and isinstance(usage, dict):
        return "fast" if usage.get("speed") == "fast" else usage.get("service_tier")
    return service_tier


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float) and value != ""


def tags_in(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Short values of attributes that are no fields; the first so many of them."""
    tags: dict[str, str] = {}
    for name, value in pairs:
        if name in FIELDS_ALONE or not _is_scalar(value):
            continue
        if (tag := tag_name(name)) is None or len(tags) == MAX_TAGS:
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        tag, text = tag.replace("\0", "").strip(), text.replace("\0", "")
        if tag and len(tag) <= LONGEST_NAME and len(text) <= LONGEST_TAG and text not in _NOTHING:
            tags[tag] = text
    return tags


_NOTHING = frozenset({"None", "{}", "[]", "null"})
_THROTTLED = ("ratelimit", "rate_limit", "throttl", "toomanyrequests", "resource_exhausted")
_ABORTED = ("cancel", "generatorexit", "abort", "keyboardinterrupt")


def _status(record: Record, fields: Mapping[str, Any]) -> str:
    error = fields.get("error_type") or record.exception
    if not (record.failed or error):
        return "ok"
    said = f"{error} {record.exception}".lower()
    told = record.message.lower()
    is_429 = str(fields.get("http_status")) == "429" or "429" in said.split()
    if is_429 or any(word in said for word in _THROTTLED) or "ratelimit" in told[:200]:
        return "throttled"
    if "error code: 429" in told[:200] or "rate limit" in told[:200]:
        return "throttled"
    return "aborted" if any(word in said for word in _ABORTED) else "error"
