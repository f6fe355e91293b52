"""Enforcement in the OpenAPI document: the ingest process serves it, by its own schema."""

from __future__ import annotations

from typing import Any

import msgspec

from finops.api.ingest_schema import REFERENCE, problems
from ingest.enforcement.answers import CODES
from ingest.enforcement.decisions import SEVERITY
from ingest.enforcement.endpoint import AUTHORIZE, GATE
from ingest.enforcement.questions import Question, Settling

MONEY = {"type": ["string", "null"], "description": "In the reporting currency, a decimal string."}
INSTANT = {"type": ["string", "null"], "format": "date-time"}
DECISIONS = list(SEVERITY)
REASON = {
    "type": "object",
    "required": ["budget", "decision", "code", "detail"],
    "description": "What one budget says. Its name and figures are null for the key of a team that "
    "it is not of.",
    "properties": {
        "budget": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "dimension": {"type": ["string", "null"], "description": "Of a budget for each value."},
        "value": {"type": ["string", "null"], "description": "The one that this call is of."},
        "decision": {"type": "string", "enum": DECISIONS},
        "code": {"type": "string", "enum": list(CODES)},
        "detail": {"type": "string"},
        "amount": MONEY,
        "spent": MONEY,
        "reserved": MONEY,
        "remaining": MONEY,
        "resets_at": {**INSTANT, "description": "When its period ends; null where it rolls."},
    },
}
ANSWER = {
    "type": "object",
    "required": ["decision", "reasons", "remaining", "retry_after", "reservation", "as_of"],
    "properties": {
        "decision": {"type": "string", "enum": DECISIONS},
        "reasons": {
            "type": "array",
            "items": REASON,
            "description": "Of every budget that the call touches, the strictest first. A call "
            "without a `user` touches no budget for each user.",
        },
        "remaining": {**MONEY, "description": "The least that was left before this call."},
        "estimated_cost": {**MONEY, "description": "null where the model has no price."},
        "retry_after": {
            "type": ["integer", "null"],
            "description": "Seconds after which it may be asked again; null where waiting is of "
            "no use.",
        },
        "reservation": {
            "type": ["string", "null"],
            "format": "uuid",
            "description": "null where nothing was asked to be reserved, the call is not let in, "
            "or touches no budget: then there is nothing to settle.",
        },
        "expires_at": INSTANT,
        "as_of": {**INSTANT, "description": "Everything committed before is in the figures."},
    },
}
ENDED = {
    "type": "object",
    "required": ["reservation", "state"],
    "properties": {
        "reservation": {"type": "string", "format": "uuid"},
        "state": {"type": "string", "enum": ["settled", "released"]},
    },
}
ERRORS = {
    "400": "The body cannot be read; `errors` names each wrong field.",
    "401": "No key, or an unknown one.",
    "403": "The key is revoked, or is of another team than the call.",
    "405": "Another method is taken here; Allow says which.",
    "413": "More than 64 KiB.",
    "415": "A content type or encoding that is not taken here.",
    "429": "The key asks about or holds more calls than it may; see Retry-After. Never of those "
    "that are settled or released.",
    "503": "Starting, or the database is away; see Retry-After.",
}
SETTLED = (
    "Its `cost` is in `reserved` from the next reading of the figures on, a second or two later. "
    "It may be said again: the last event and cost hold, and it is held no longer for it."
)
GONE = (
    "Nothing is held under this id by this key's service, or not any more; or it is to be released "
    "and was settled."
)
ID = {
    "name": "reservation",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
NOT_BY_HEADER = frozenset({"tags", "reserve", "ttl_seconds", "event_id"})


def add_authorize(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    (question, settling), components = msgspec.json.schema_components(
        [Question, Settling], ref_template=REFERENCE
    )
    result["components"]["schemas"].update(components)
    paths = result["paths"]
    paths[AUTHORIZE] = {
        "post": operation(
            "authorize",
            "Ask whether a call may be made",
            "Answered from the figures of all budgets that are enforced and touch the call. With "
            "`reserve` the estimate is held of each of them, so that concurrent calls cannot "
            "overspend one, until it is settled, released or expires.",
            question,
            answered(ANSWER, "What was decided."),
        )
    }
    paths[GATE] = {"get": gate()}
    for verb, summary, description, body in (
        ("settle", "Say that a reserved call is over", SETTLED, settling),
        ("release", "Say that a reserved call was not made", "", None),
    ):
        described = operation(
            f"authorize_{verb}",
            summary,
            description,
            body,
            answered(ENDED, "It was held."),
            **{"404": GONE},
        )
        paths[f"{AUTHORIZE}/{{reservation}}/{verb}"] = {"post": described | {"parameters": [ID]}}
    return result


def gate() -> dict[str, Any]:
    described = operation(
        "authorize_gate",
        "The same for proxies that ask before each request",
        "As nginx's auth_request does: the question is in headers, the answer a status.",
        None,
        {"204": {"description": "Allowed."}},
        **{
            "403": "Blocked, a revoked key, or one of another team.",
            "429": "Throttled, or the key has asked as often as it may; see Retry-After.",
        },
    )
    names = [name for name in Question.__struct_fields__ if name not in NOT_BY_HEADER]
    headers = [
        {
            "name": f"X-Farthing-{name.replace('_', '-').title()}",
            "in": "header",
            "schema": {"type": "string"},
        }
        for name in names
    ]
    throttled = {
        "name": "throttled",
        "in": "query",
        "description": "The status of throttled calls.",
        "schema": {"type": "string", "enum": ["403", "429"], "default": "429"},
    }
    return described | {"parameters": [*headers, throttled]}


def answered(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "200": {
            "description": description,
            "content": {"application/json": {"schema": schema}},
        }
    }


def operation(
    name: str,
    summary: str,
    description: str,
    body: dict[str, Any] | None,
    answers: dict[str, Any],
    **errors: str,
) -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": body}}}
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "tags": ["v1"],
        "security": [{"ingestKey": []}, {"ingestKeyHeader": []}],
        **({"requestBody": {"required": True} | content} if body else {}),
        "responses": answers | problems(dict(sorted((ERRORS | errors).items()))),
    }
