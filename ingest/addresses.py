"""Addresses beside the doors: with other slashes or under a prefix, and those where nothing is.

Nobody is ever redirected: clients of telemetry lose what they sent, and some give up for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ingest.doors.door import Answer, content_type_of, problem_json
from ingest.doors.otlp import answers
from ingest.problems import Problem

# An exporter puts these behind whatever address it was given.
EXPORTED = ("/v1/traces", "/v1/logs", "/v1/metrics")
EVENTS = ("/api/v1/events", "/api/v1/ingest/litellm", "/api/v1/ingest/cloudevents")
_Place = TypeVar("_Place")


def meant(path: str, places: Mapping[str, _Place]) -> _Place | None:
    """What is at this path but for its slashes: /v1/traces/, //v1/traces; or, of what exporters
    call, below another one: /otlp/v1/traces."""
    plain = "/" + "/".join(part for part in path.split("/") if part)
    for exported in EXPORTED:
        if plain.endswith(exported):
            return places.get(exported)
    return places.get(plain) if plain in EVENTS else None


def nowhere(path: str, headers: Mapping[bytes, bytes]) -> Answer | None:
    """What is said of an address that would be a door's if there were one; None for all others."""
    shown = path[:100]
    if (path + "/").startswith("/v1/"):
        problem = Problem(
            404,
            f"Nothing is at {shown}. OTLP over HTTP is taken at {', '.join(EXPORTED)}: give "
            "exporters the address before /v1.",
        )
        return answers.status(problem, content_type_of(headers))
    if (path + "/").startswith(("/api/v1/ingest/", "/api/v1/events/")):
        problem = Problem(404, f"Nothing is at {shown}. Events are taken at {', '.join(EVENTS)}.")
        return problem_json(problem, "")
    return None
