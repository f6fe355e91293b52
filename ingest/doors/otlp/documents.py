"""Texts in attributes that hold more: JSON, and LiteLLM's printed Python. Read, never kept."""

from __future__ import annotations

import ast
from typing import Any

import msgspec
from msgspec import MsgspecError, Struct

LARGEST_BYTES = 2**20
LARGEST_PRINTED = 8 * 1024


class Answer(Struct):
    """Of a provider's answer only what counts; msgspec passes over all the rest."""

    id: Any = None
    model: Any = None
    service_tier: Any = None
    usage: Any = None
    llm_output: Any = None  # LangChain's: what the provider said beside the texts
    generations: Any = None


class Invocation(Struct):
    model: Any = None
    service_tier: Any = None


_ANSWER = msgspec.json.Decoder(Answer)
_INVOCATION = msgspec.json.Decoder(Invocation)
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def answer_in(text: object) -> Answer:
    """The provider's answer, also where LangChain's is around it."""
    answer: Answer = _read(_ANSWER, text) or Answer()
    if answer.llm_output is None and answer.generations is None:
        return answer
    said = answer.llm_output or _first_of(answer.generations)
    if not isinstance(said, dict):
        return Answer()
    usage = said.get("token_usage") or said.get("usage")
    return Answer(said.get("id"), said.get("model_name"), said.get("service_tier"), usage)


def _first_of(generations: Any) -> object:
    try:
        return generations[0][0]["message"]["kwargs"]["response_metadata"]
    except (LookupError, TypeError):
        return None


def invocation_in(text: object) -> Invocation:
    return _read(_INVOCATION, text) or Invocation()


def object_in(given: object) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    return _read(_OBJECT, given) or {}


def _read(decoder: msgspec.json.Decoder[Any], text: object) -> Any:
    if not isinstance(text, str) or len(text) > LARGEST_BYTES or text[:1] != "{":
        return None
    try:
        return decoder.decode(text)
    except (MsgspecError, UnicodeError, RecursionError):
        return None


def printed_in(text: object) -> Any:
    """The dict that Python's repr of one stands for; None when it is none, or too long."""
    if not isinstance(text, str) or len(text) > LARGEST_PRINTED or text[:1] != "{":
        return object_in(text) or None
    try:
        printed = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    is_block = isinstance(printed, dict) and all(isinstance(name, str) for name in printed)
    return printed if is_block else None
