"""One batch of events over HTTP, and what the server says to it."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from .retries import RETRIED

EVENTS_PATH = "/api/v1/events"
LONGEST_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """What became of a batch. Without a status nothing answered; `said` tells why."""

    status: int | None
    said: str
    retry_after: str = ""
    rejected: Sequence[dict[str, Any]] = field(default_factory=list)

    @property
    def is_taken(self) -> bool:
        return self.status == 200

    @property
    def is_unreadable(self) -> bool:
        """Sending the same again would not help."""
        return self.status in {400, 415}

    @property
    def is_busy(self) -> bool:
        return self.status is None or self.status in RETRIED


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, without its events."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Post:
    """Sends batches to one server with one key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "User-Agent": "farthing-python/0.1.0",
        }
        self._opener = build_opener(_NoRedirects)

    def __call__(self, lines: Sequence[bytes], timeout: float) -> Reply:
        """Raises nothing that a network can bring about."""
        body = gzip.compress(b"\n".join(lines), 5, mtime=0)
        request = Request(self.url + EVENTS_PATH, body, self._headers)
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return _read(response.status, response.read(LONGEST_ANSWER_BYTES))
        except HTTPError as error:
            with error:
                return _refused(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Reply(None, str(error) or type(error).__name__)


def _read(status: int, content: bytes) -> Reply:
    try:
        answer = json.loads(content)
        rejected = [each for each in answer["rejected"] if isinstance(each, dict)]
    except (ValueError, KeyError, TypeError):
        # Whatever this is, it is no Farthing that has committed the events.
        return Reply(None, f"no answer of a Farthing ({status})")
    return Reply(status, "taken", rejected=rejected)


def _refused(error: HTTPError) -> Reply:
    retry_after = error.headers.get("Retry-After", "") if error.headers else ""
    try:
        problem = json.loads(error.read(LONGEST_ANSWER_BYTES))
        said = str(problem.get("detail") or problem.get("title") or error.reason)
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        said = str(error.reason)
    return Reply(error.code, said, retry_after)
