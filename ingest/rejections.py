"""Why an event is refused: named reasons, each with a sentence that says what to do."""

from __future__ import annotations

import re

from msgspec import Struct, ValidationError

# Every reason an answer may carry, and what it means. Counted per batch and shown to people.
REASONS = {
    "absurd_tokens": "a token count above 1,000,000,000",
    "conflicting_fields": "two fields say different things about the same fact",
    "empty_model": "the model is an empty string",
    "empty_name": "a name within an object is empty",
    "invalid_characters": "a string holds NUL or half a surrogate pair",
    "invalid_timestamp": "the timestamp is no RFC 3339 date-time",
    "malformed_json": "a line of an NDJSON body is no JSON",
    "missing_id": "the id is missing or empty",
    "missing_model": "the model is missing",
    "missing_timestamp": "the timestamp is missing",
    "naive_timestamp": "the timestamp has no zone",
    "negative_number": "a number below zero",
    "negative_tokens": "a token count below zero",
    "out_of_range": "a number outside its bounds",
    "timestamp_in_future": "the timestamp lies more than an hour ahead of the server",
    "timestamp_too_old": "the timestamp lies before the retention of events",
    "token_parts_exceed_whole": "cached, audio or reasoning tokens exceed the total they belong to",
    "too_long": "a string is longer than its field allows",
    "too_many": "an object has more entries than its field allows",
    "unknown_usage_shape": "the usage block is of no provider known here",
    "unknown_value": "the value is none of the field's closed set",
    "wrong_type": "a value of another JSON type than the field's",
}


class Rejected(Exception):
    """One event cannot be taken. `detail` names the field and what to do about it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Rejection(Struct, frozen=True, gc=False):
    """One refused event of a body, as the answer lists it."""

    index: int
    id: str | None
    reason: str
    detail: str


TOKEN_FIELDS = frozenset(
    {
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "cache_write_input_tokens",
        "cache_creation_1h_input_tokens",
        "output_tokens",
        "reasoning_output_tokens",
        "input_audio_tokens",
        "output_audio_tokens",
    }
)
_PATH = re.compile(r" - at (?:`key` in )?`\$\.?(\w*)")
_MISSING = re.compile(r"missing required field `(\w+)`")


def rejected_by_schema(error: ValidationError) -> Rejected:
    """msgspec's message about one event as one of our reasons."""
    message = str(error)
    if missing := _MISSING.search(message):
        field = missing[1]
        return Rejected(f"missing_{field}", f"{field}: every event needs one.")
    path = _PATH.search(message)
    field = path[1] if path else ""
    problem = message.partition(" - at ")[0]
    reason = _reason(field, problem)
    return Rejected(reason, f"{field or 'event'}: {_advice(reason, problem)}")


def _reason(field: str, problem: str) -> str:
    if "timezone component" in problem:
        return "naive_timestamp"
    if "RFC3339" in problem:
        return "invalid_timestamp"
    if "Invalid enum value" in problem:
        return "unknown_value"
    if "of length >=" in problem:
        return {"id": "missing_id", "model": "empty_model"}.get(field, "empty_name")
    if "of length <=" in problem:
        return "too_long" if "`str`" in problem else "too_many"
    if ">=" in problem:
        return "negative_tokens" if field in TOKEN_FIELDS else "negative_number"
    if "<=" in problem:
        return "absurd_tokens" if field in TOKEN_FIELDS else "out_of_range"
    return "out_of_range" if "out of range" in problem.lower() else "wrong_type"


_ADVICE = {
    "naive_timestamp": "write the zone too, as in 2026-10-01T12:00:00Z.",
    "invalid_timestamp": "write RFC 3339, as in 2026-10-01T12:00:00Z.",
    "missing_id": "write an id of 1 to 200 characters, unique per request.",
    "empty_model": "write the model that answered.",
    "empty_name": "leave the pair out or give it a name.",
    "negative_tokens": "write 0 or more.",
    "absurd_tokens": "write at most 1000000000.",
    "negative_number": "write 0 or more.",
}


def _advice(reason: str, problem: str) -> str:
    return _ADVICE.get(reason) or problem.replace("`", "").replace(" | null", "") + "."
