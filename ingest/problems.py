"""Errors of whole requests, answered as RFC 9457 problem+json."""

from __future__ import annotations

from http import HTTPStatus


class Problem(Exception):
    """The request as a whole cannot be served: its status, a sentence, and headers to add."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def as_json(self) -> dict[str, object]:
        title = HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}


def unavailable(detail: str, retry_after_seconds: int = 1) -> Problem:
    """503, safe to retry: nothing of the request was written."""
    return Problem(503, detail, retry_after=str(retry_after_seconds))
