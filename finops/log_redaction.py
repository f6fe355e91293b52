"""Keeps what opens anything out of the log: whoever reads a log must not get in by it."""

from __future__ import annotations

import logging
import re

# An administrator's pages name an invitation by its number, which opens nothing.
LINK = re.compile(r"(?<!/people)(/invitations/|/password/new/|/unsubscribe/)[^\s?'\"]+")
# Ingest keys and API tokens begin with what lists show of them.
KEY = re.compile(r"\b(f[kt]_[A-Za-z0-9]{8}_)[A-Za-z0-9_-]{40}")
PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s/@]+(?=@)")


def redacted(text: str) -> str:
    for secret in (LINK, KEY, PASSWORD):
        text = secret.sub(r"\1…", text)
    return text


class Redacting(logging.Formatter):
    """Lines without secrets, and without a traceback where a request was only refused."""

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return redacted(super().format(record))
