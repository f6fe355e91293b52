"""What LiteLLM's tags and metadata say about who a call was for.

A tag `feature:answers` sets the field of that name; `team:`, `env:`, `region:`, `session:`,
`variant:`, `service:`, `user:`, `user_id:`, `session_id:` and `cache:` do the same. Any other tag
and every string of spend_logs_metadata and of the client's own metadata is a tag of the event,
`plain` as plain=true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeGuard, get_args

from msgspec import Struct

from ingest.doors.people import is_personal, user_in
from ingest.events import Cache

NAME_CHARACTERS = 200
MOST_TAGS = 16
HEALTH_CHECK = "litellm-internal-health-check"
# How LiteLLM itself says which program called.
_NOISE = "user-agent:"
_FIELDS = {
    **{name: name for name in ("feature", "team", "environment", "region", "session", "variant")},
    "service": "service",
    "env": "environment",
    "session_id": "session",
}
_CACHES = frozenset(get_args(Cache)) - {"none"}


class Metadata(Struct, gc=False):
    """What is read of a payload's metadata."""

    usage_object: dict[str, Any] | None = None
    user_api_key_alias: Any = None
    user_api_key_team_alias: Any = None
    user_api_key_team_id: Any = None
    team_alias: Any = None
    team_id: Any = None
    user_api_key_end_user_id: Any = None
    user_api_key_user_id: Any = None
    spend_logs_metadata: Any = None
    requester_metadata: Any = None


class Labels(NamedTuple):
    """Fields of the event by name, its tags, and the response cache where one is named."""

    fields: dict[str, str]
    tags: dict[str, str]
    cache: str
    is_health_check: bool


def text(value: object) -> str:
    """A name, as long as names may be; '' for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:NAME_CHARACTERS]
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").strip()[:NAME_CHARACTERS]


def labels(request_tags: object, metadata: Metadata) -> Labels:
    """The team of LiteLLM's own key wins over a tag; of two that say the same the first holds."""
    fields: dict[str, str] = {}
    tags: dict[str, str] = {}
    cache = ""
    tagged = [tag for tag in request_tags if isinstance(tag, str)] if _is_list(request_tags) else []
    team = (
        text(metadata.user_api_key_team_alias)
        or text(metadata.user_api_key_team_id)
        or text(metadata.team_alias)
        or text(metadata.team_id)
    )
    if team and team != HEALTH_CHECK:
        fields["team"] = team
    pairs = list(_pairs(tagged, metadata))
    personal = [(name, value) for name, value in pairs if value != "true" and is_personal(name)]
    if user := user_in(personal):
        fields["user"] = user
    for name, value in pairs:
        if (name, value) in personal:
            continue
        if name in _FIELDS:
            fields.setdefault(_FIELDS[name], value)
        elif name == "cache" and value in _CACHES:
            cache = cache or value
        elif len(tags) < MOST_TAGS:
            tags.setdefault(name, value)
    return Labels(fields, tags, cache, HEALTH_CHECK in tagged)


def _pairs(tagged: Sequence[str], metadata: Metadata) -> Iterator[tuple[str, str]]:
    """Every name with its value, none of them empty or too long to be a name."""
    for tag in tagged:
        if tag == HEALTH_CHECK or tag.lower().startswith(_NOISE):
            continue
        name, colon, value = tag.partition(":")
        if pair := _pair(name, value if colon else "true"):
            yield pair
    for given in (metadata.spend_logs_metadata, metadata.requester_metadata):
        if isinstance(given, dict):
            for name, value in given.items():
                if isinstance(value, str) and (pair := _pair(name, value)):
                    yield pair
    if pair := _pair("litellm_key", text(metadata.user_api_key_alias)):
        yield pair


def _pair(name: str, value: str) -> tuple[str, str] | None:
    """What is longer than a name may be is some text, and is left out rather than cut."""
    if len(name) > NAME_CHARACTERS or len(value) > NAME_CHARACTERS:
        return None
    name, value = text(name), text(value)
    return (name, value) if name and value else None


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
