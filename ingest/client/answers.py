"""What answers of providers' packages say of their usage, as fields of an event.

They are read by attribute or by key, so that neither package has to be there. Of a stream the
chunks are shown one after another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST_RESPONSE_ID = 2000  # what the schema takes; two ids are never cut to one


def from_openai(response: Any, *, provider: str = "openai") -> dict[str, Any]:
    """Fields of an event from an answer of chat completions or responses."""
    return _fields(response, provider)


def from_anthropic(message: Any, *, provider: str = "anthropic") -> dict[str, Any]:
    """Fields of an event from a message."""
    return _fields(message, provider)


def provider_of(response: Any) -> str:
    """Whose package an answer or a chunk of one comes from, as far as it shows."""
    module = type(response).__module__.partition(".")[0]
    if module in {"openai", "anthropic"}:
        return module
    kind = part(response, "type")
    shaped = kind in {"message", "message_start", "message_delta"} or "content_block" in str(kind)
    return "anthropic" if shaped else "openai"


def _fields(response: Any, provider: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"provider": provider}
    model = part(response, "model")
    if isinstance(model, str) and model:
        fields["model"] = model
    response_id = part(response, "id")
    if isinstance(response_id, str) and 0 < len(response_id) <= LONGEST_RESPONSE_ID:
        fields["response_id"] = response_id
    usage = plain(part(response, "usage"))
    if isinstance(usage, Mapping):
        tier = part(response, "service_tier")
        fields["usage"] = {**usage, "service_tier": tier} if isinstance(tier, str) else dict(usage)
    return fields


class Stream:
    """What the chunks of one answer say in all."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    def add(self, chunk: Any) -> bool:
        """Whether this chunk brings something of the answer itself."""
        kind = part(chunk, "type")
        # An event that frames an answer carries it: response.completed, message_start.
        framed = part(chunk, "response") or part(chunk, "message")
        self._read(framed if framed is not None and not isinstance(framed, str) else chunk)
        if isinstance(kind, str):
            return kind.endswith(".delta") or kind == "content_block_delta"
        return any(_has_text(choice) for choice in part(chunk, "choices") or ())

    def _read(self, source: Any) -> None:
        found = _fields(source, self.fields.get("provider") or provider_of(source))
        earlier = self.fields.get("usage", {})
        usage = {name: each for name, each in found.pop("usage", {}).items() if each is not None}
        if usage or earlier:
            # Anthropic says the input first and the output last, each with what it knows then.
            found["usage"] = {**earlier, **usage}
        self.fields |= found


def _has_text(choice: Any) -> bool:
    delta = part(choice, "delta")
    return any(
        part(delta, name) for name in ("content", "tool_calls", "refusal", "reasoning_content")
    ) or bool(part(choice, "text"))


def part(value: Any, name: str) -> Any:
    """An attribute, or the entry of a mapping; None where there is neither."""
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


def plain(value: Any) -> Any:
    """The mapping behind an object of a provider's package."""
    for name in ("model_dump", "to_dict", "dict"):
        dump = getattr(value, name, None)
        if callable(dump) and not isinstance(value, Mapping):
            return dump()
    return value
