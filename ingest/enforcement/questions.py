"""What a gateway asks before a call: who calls which model, and what that may cost.

Unlike events, a question with a field that is not known is refused: an estimate that is spelt
wrongly would otherwise be none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from ingest.events import Amount, Id, Name, ResponseId, ServiceTier, Tags, Tokens
from ingest.facts import MAX_AMOUNT, MAX_DECIMAL_PLACES
from ingest.problems import Problem

MAX_TTL_SECONDS = 3_600
TTL_SECONDS = 300
HEADER = b"x-farthing-"

Ttl = Annotated[int, Meta(ge=1, le=MAX_TTL_SECONDS)]


class Question(msgspec.Struct, frozen=True, gc=False):
    """One call that is about to be made. What is not given is as in an event."""

    user: Name | None = None
    feature: Name | None = None
    team: Annotated[Name | None, Meta(description="By default the key's.")] = None
    service: Annotated[Name | None, Meta(description="By default the key's.")] = None
    model: Name | None = None
    provider: Name | None = None
    operation: Name | None = None
    environment: Name | None = None
    region: Name | None = None
    service_tier: ServiceTier | None = None
    fleet: Name | None = None
    variant: Name | None = None
    tags: Tags | None = None

    estimated_cost: Annotated[
        Amount | None, Meta(description="USD; instead of the expected tokens.")
    ] = None
    input_tokens: Annotated[
        Tokens | None, Meta(description="Expected. Priced by the ledger as it is now.")
    ] = None
    output_tokens: Annotated[
        Tokens | None, Meta(description="Expected, at most: max_tokens is a good guess.")
    ] = None

    reserve: Annotated[
        bool | None, Meta(description="Hold the estimate until it is settled or expires.")
    ] = None
    ttl_seconds: Annotated[
        Ttl | None, Meta(description=f"How long it is held; {TTL_SECONDS} by default.")
    ] = None
    event_id: Annotated[
        Id | None,
        Meta(
            description="The id that the call's event will have, if it is known already: the "
            "reservation then ends by itself when that event is in the figures."
        ),
    ] = None


class Settling(msgspec.Struct, frozen=True, gc=False):
    """What became of a call for which something was reserved."""

    event_id: Annotated[Id | None, Meta(description="The id of the call's event.")] = None
    response_id: Annotated[
        ResponseId | None, Meta(description="The provider's id of the answer.")
    ] = None
    cost: Annotated[Amount | None, Meta(description="USD: what is held from now on.")] = None


class Invalid(Problem):
    """400, with every field that is wrong."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        names = ", ".join(error["field"] for error in errors)
        super().__init__(400, f"This cannot be read: {names}.")
        self.errors = errors

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "errors": self.errors}


class OtherTeam(Invalid):
    """403: a question about a call of another team than the key's."""

    def __init__(self, team: str) -> None:
        super().__init__([_error("team", "is not the key's.")])
        self.status = 403
        self.detail = (
            f"This key is of the team {team[:100]}, and asks about calls of that team only. Leave "
            "team away, or ask with a key of that team, or, as a gateway of several teams, with "
            "one of no team."
        )


_AMOUNTS = ("estimated_cost", "cost")
_TYPES: Mapping[type, Mapping[str, Any]] = {
    struct: get_type_hints(struct, include_extras=True) for struct in (Question, Settling)
}
_read_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_strict: Mapping[type, Callable[[bytes], Any]] = {
    struct: msgspec.json.Decoder(
        msgspec.defstruct(
            struct.__name__, [], bases=(struct,), forbid_unknown_fields=True, frozen=True
        )
    ).decode
    for struct in (Question, Settling)
}


def read_question(body: bytes) -> Question:
    """Raises Invalid."""
    question: Question = _read(body, Question)
    return _checked(question, has_escapes=b"\\u" in body)


def read_settling(body: bytes) -> Settling:
    """Raises Invalid. Nothing at all is an empty one."""
    settling: Settling = _read(body or b"{}", Settling)
    if errors := [*_wrong_texts(settling), *_wrong_amounts(settling)]:
        raise Invalid(errors)
    if settling == Settling():
        raise Invalid(
            [_error("event_id", "is missing: say event_id, response_id or cost; or release.")]
        )
    return settling


def question_of_headers(headers: Mapping[bytes, bytes]) -> Question:
    """For proxies that ask without a body: X-Farthing-Feature, X-Farthing-Estimated-Cost and the
    like. Nothing is reserved, as nobody would settle it. Raises Invalid."""
    given, errors = {}, []
    for header, value in headers.items():
        if header.startswith(HEADER) and value:
            field = header.removeprefix(HEADER).replace(b"-", b"_").decode("latin-1")
            kind = _TYPES[Question].get(field)
            if kind is None or field in {"tags", "reserve", "ttl_seconds", "event_id"}:
                errors.append(_error(field, "is no header of this address."))
                continue
            try:
                given[field] = msgspec.convert(_text(value), kind, strict=False)
            except msgspec.ValidationError as error:
                errors.append(_error(field, _reason(error)))
    if not errors:
        try:
            return _checked(Question(**given), has_escapes=False)
        except Invalid as problem:
            errors = problem.errors
    raise Invalid([{**each, "field": _header_of(each["field"])} for each in errors])


def _header_of(field: str) -> str:
    """As whoever sets it knows it: X-Farthing-Estimated-Cost."""
    return "-".join(part.title() for part in ("x", "farthing", *field.split("_")))


def _read(body: bytes, struct: type) -> Any:
    try:
        return _strict[struct](body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _why(body, struct) from None


def _why(body: bytes, struct: type) -> Problem:
    """What is wrong, field by field."""
    try:
        fields = _read_fields(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Problem(400, "Send one JSON object in UTF-8.")
    types = _TYPES[struct]
    errors = []
    for name, raw in fields.items():
        if name not in types:
            nearest = get_close_matches(name, types, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(types)}."
            errors.append(_error(name, f"is not known; {hint}"))
            continue
        try:
            msgspec.json.decode(raw, type=types[name])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            errors.append(_error(name, _reason(error)))
    return Invalid(errors) if errors else Problem(400, "Send one JSON object in UTF-8.")


def _checked(question: Question, *, has_escapes: bool) -> Question:
    errors = list(_wrong_amounts(question))
    if has_escapes:  # nothing else in JSON makes what is no character
        errors += _wrong_texts(question)
    has_tokens = question.input_tokens is not None or question.output_tokens is not None
    if has_tokens and question.estimated_cost is not None:
        errors.append(
            _error("estimated_cost", "stands beside expected tokens: send one or the other.")
        )
    if has_tokens and question.estimated_cost is None and not (question.model or "").strip():
        errors.append(_error("model", "is missing: tokens have a price only of a model."))
    if question.reserve and not has_tokens and question.estimated_cost is None:
        errors.append(
            _error("estimated_cost", "is missing: say it, or the expected tokens, to reserve.")
        )
    if errors:
        raise Invalid(errors)
    return question


def _wrong_texts(given: msgspec.Struct) -> Iterator[dict[str, str]]:
    """PostgreSQL's text holds no NUL, and JSON's halves of surrogate pairs are no characters."""
    for name, value in msgspec.structs.asdict(given).items():
        texts = [value] if isinstance(value, str) else []
        if isinstance(value, dict):
            texts = [*value, *value.values()]
        if any("\0" in text or _has_surrogate(text) for text in texts):
            yield _error(name, "holds NUL or half a surrogate pair: remove it.")


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _wrong_amounts(given: msgspec.Struct) -> Iterator[dict[str, str]]:
    for name in _AMOUNTS:
        amount: Decimal | None = getattr(given, name, None)
        if amount is None:
            continue
        if not amount.is_finite() or not 0 <= amount <= MAX_AMOUNT:
            yield _error(name, f"is from 0 to {MAX_AMOUNT:f} USD.")
        elif -int(amount.as_tuple().exponent) > MAX_DECIMAL_PLACES:
            yield _error(name, f"has at most {MAX_DECIMAL_PLACES} decimal places.")


def _error(field: str, message: str) -> dict[str, str]:
    return {"field": field[:100], "message": message}


def _reason(error: Exception) -> str:
    return str(error).partition(" - at `$")[0][:300].rstrip(".") + "."


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
