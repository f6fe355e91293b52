"""Why an event is refused: named reasons, each with a sentence that says what to do."""

from __future__ import annotations

import re

from msgspec import Struct, ValidationError

# Every reason an answer may carry, and what it means. Counted per batch and shown to people.
REASONS = {
    "absurd_tokens": "a token count above 1,000,000,000",
    "conflicting_fields": "two fields say different things about the same fact",
    "corrects_itself": "a settlement names itself as what it corrects",
    "empty_model": "the model is an empty string",
    "empty_name": "a name within an object is empty",
    "invalid_characters": "a string holds NUL or half a surrogate pair",
    "invalid_timestamp": "the timestamp is no RFC 3339 date-time",
    "malformed_json": "a line of an NDJSON body is no JSON",
    "missing_attribute": "an attribute that every CloudEvent needs is missing or empty",
    "missing_id": "the id is missing or empty",
    "missing_model": "the model is missing",
    "missing_timestamp": "the timestamp is missing",
    "missing_usage": "a model call says no tokens",
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

# What to do about each, for people who look at what was refused.
MENDS = {
    "absurd_tokens": "Send the tokens of one call; a count like this is a sum or another unit.",
    "conflicting_fields": "Send either the provider's usage block or token fields, and one name "
    "of each field.",
    "corrects_itself": "Write the id of the event whose figures the settlement replaces.",
    "empty_model": "Write the model that answered.",
    "empty_name": "Leave the pair out, or give it a name.",
    "invalid_characters": "Remove NUL characters and unpaired surrogates before sending.",
    "invalid_timestamp": "Write RFC 3339, as in 2026-10-01T12:00:00Z.",
    "malformed_json": "Write one JSON object a line, without line breaks inside it.",
    "missing_attribute": "Write id, source, type and specversion 1.0, each of them a string.",
    "missing_id": "Write an id of 1 to 200 characters, unique per request.",
    "missing_model": "Write the model that answered.",
    "missing_timestamp": "Write when the request started, in RFC 3339 with a zone.",
    "missing_usage": "Have streams report their usage (stream_options.include_usage), and update "
    "the instrumentation.",
    "naive_timestamp": "Write the zone too, as in 2026-10-01T12:00:00Z.",
    "negative_number": "Write 0 or more, or leave the field out where nothing was measured.",
    "negative_tokens": "Write 0 or more, or leave the field out.",
    "out_of_range": "Keep to the bounds of the field, which the table of fields names.",
    "timestamp_in_future": "Check the clock of the machine that sends, and the zone it writes.",
    "timestamp_too_old": "Events this old are past the retention. It can be made "
    "longer, but not for days that were dropped.",
    "token_parts_exceed_whole": "Write totals that include their cached, audio and reasoning "
    "parts, or send the provider's usage block untouched.",
    "too_long": "Shorten the value; names are of at most 200 characters.",
    "too_many": "Send fewer entries: at most 16 tags, 32 stages.",
    "unknown_usage_shape": "Send an OpenAI, Anthropic, Gemini or Bedrock usage block, or token "
    "fields.",
    "unknown_value": "Write one of the values that the table of fields names.",
    "wrong_type": "Write the field's own JSON type: numbers without quotes, names as strings.",
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


_TOO_SHORT = {"id": "missing_id", "corrects": "missing_id", "model": "empty_model"}


def _reason(field: str, problem: str) -> str:
    if "timezone component" in problem:
        return "naive_timestamp"
    if "RFC3339" in problem:
        return "invalid_timestamp"
    if "Invalid enum value" in problem:
        return "unknown_value"
    if "of length >=" in problem:
        return _TOO_SHORT.get(field, "empty_name")
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
