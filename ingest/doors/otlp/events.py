"""From calls to events of the one schema, each refused by itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import ValidationError

from ingest.doors.door import Decoded
from ingest.doors.otlp.calls import MAX_TAGS, Call, name_of
from ingest.events import FIELDS, MAX_MILLISECONDS, SERVICE_TIERS, Event, TranslatedEvent
from ingest.examples import Sample
from ingest.rejections import Rejected, Rejection, rejected_by_schema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 250_000_000_000 * 10**9  # past datetime's last year
LARGEST_COST = 1e9
# Whose address tells the provider where nothing else does.
_SERVERS = (
    ("openai.azure.com", "azure"),
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "google"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("bedrock-runtime", "aws.bedrock"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.groq.com", "groq"),
    ("api.x.ai", "x_ai"),
    ("api.deepseek.com", "deepseek"),
    ("openrouter.ai", "openrouter"),
)


def decoded(calls: Iterable[Call]) -> Decoded:
    """The calls as events, and the rejections of those that cannot be one."""
    events: list[Event] = []
    indexes: list[int] = []
    rejections: list[Rejection] = []
    samples: dict[str, Sample] = {}
    for index, call in enumerate(calls):
        fields = _event_fields(call)
        try:
            events.append(_event(call, fields))
            indexes.append(index)
        except Rejected as error:
            rejection = Rejection(index, fields["id"], error.reason, error.detail)
            rejections.append(rejection)
            if error.reason not in samples:
                # Fields of the event: what the span held besides has been left behind.
                shown = {
                    name: value
                    for name, value in fields.items()
                    if name in FIELDS and value is not None
                }
                samples[error.reason] = Sample(rejection, msgspec.json.encode(shown))
    return Decoded(events, indexes, rejections, 0, samples=list(samples.values()))


def _event(call: Call, fields: dict[str, Any]) -> Event:
    if not call.start:
        raise Rejected("missing_timestamp", "timestamp: the span says no startTimeUnixNano.")
    if call.counts.totals is None and call.fields["status"] == "ok":
        raise Rejected(
            "missing_usage",
            "usage: this call says no tokens, so its cost is not known; have streams report their "
            "usage (stream_options.include_usage), and update the instrumentation.",
        )
    try:
        return msgspec.convert(fields, TranslatedEvent)
    except ValidationError as error:
        raise rejected_by_schema(error) from None


def _event_fields(call: Call) -> dict[str, Any]:
    """An event's fields by name; None where the call does not know one, and no model then."""
    fields, owner, counts = call.fields, call.owner.fields, call.counts
    duration = (call.end - call.start) / 1e6 if call.end > call.start else None
    found: dict[str, Any] = {
        "id": _id(call),
        "response_id": call.response_id or None,
        "timestamp": _moment(call.start),
        "model": name_of(fields.get("response_model")) or name_of(fields.get("request_model")),
        "provider": _provider(fields),
        "operation": name_of(call.operation),
        "input_tokens": counts.input,
        "output_tokens": counts.output,
        "cache_read_input_tokens": counts.cache_read,
        "cache_creation_input_tokens": counts.cache_write,
        "cache_creation_1h_input_tokens": counts.cache_write_1h,
        "input_audio_tokens": counts.input_audio,
        "reasoning_output_tokens": counts.reasoning,
        "output_audio_tokens": counts.output_audio,
        "normalised": counts.normalised,
        "service": owner.get("service"),
        "region": owner.get("region"),
        "user": name_of(fields.get("user")) or owner.get("user"),
        "session": name_of(fields.get("session")),
        "latency_ms": _milliseconds(duration),
        "ttft_ms": _milliseconds(_scaled(fields.get("ttft_seconds"), 1000)),
        "status": fields["status"],
        "cache": "memory" if fields.get("cache_hit") is True else None,
        "reported_cost": _cost(fields.get("reported_cost")),
        "tags": _tags(call),
        **_tier(fields.get("response_tier") or fields.get("request_tier")),
    }
    for field in ("team", "environment", "variant", "feature"):
        found[field] = name_of(fields.get(field)) or owner.get(field)
    if not found["feature"]:
        found["feature"] = name_of(fields.get("workflow")) or name_of(fields.get("agent"))
    if not found["model"]:
        del found["model"]
    return found


def _id(call: Call) -> str:
    """The response's; but a stream that was broken off, and says no tokens, has its span's, so that
    it stands in the way of no record that says what it cost."""
    if call.counts.totals is None:
        return _span_name(call) or call.response_id
    return call.response_id or _span_name(call)


def _span_name(call: Call) -> str:
    return f"{call.place[0]}-{call.place[1]}"[:200] if call.place[1] else ""


def _provider(fields: dict[str, Any]) -> str | None:
    if given := name_of(fields.get("provider")):
        return given.lower()
    server = str(fields.get("server", ""))
    return next((provider for address, provider in _SERVERS if address in server), None)


def _tier(given: object) -> dict[str, str]:
    word = name_of(given)
    if word is None:
        return {}
    known = word.lower() in SERVICE_TIERS
    return {"service_tier": word.lower()} if known else {"unlisted_tier": word}


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(max(nanoseconds, 0), _LATEST) // 1000)


def _scaled(value: object, factor: float) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) * factor if is_number else None  # type: ignore[arg-type]


def _milliseconds(value: float | None) -> float | None:
    return value if value is not None and 0.0 <= value <= MAX_MILLISECONDS else None


def _cost(value: object) -> Decimal | None:
    """What the client thinks it cost. OpenLIT writes 0 where it knows no prices."""
    cost = _scaled(value, 1)
    if cost is None or not 1e-15 < cost < LARGEST_COST:
        return None
    return Decimal(repr(cost))


def _tags(call: Call) -> dict[str, str] | None:
    if not call.tags:
        return dict(call.owner.tags) or None
    tags = call.tags | {name: tag for name, tag in call.owner.tags.items() if name not in call.tags}
    if len(tags) > MAX_TAGS:
        tags = dict(list(tags.items())[:MAX_TAGS])
    return tags or None
