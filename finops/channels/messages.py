"""What is sent: one alert, or several in one message, before any channel has given it a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

SEVERITY_RANKS = {"note": 0, "info": 1, "warning": 2, "critical": 3}
SEVERITY_WORDS = {"note": "Note", "info": "Info", "warning": "Warning", "critical": "Critical"}


@dataclass(frozen=True, slots=True)
class Told:
    """One alert. `turn` counts its reminders; `facts` are as finops.alerts describes them."""

    number: int
    kind: str
    severity: str
    title: str
    facts: dict[str, Any]
    team: str
    thread: str
    raised_at: datetime
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same at every attempt; `root` that of the first message of its conversation to
    the same recipient, '' for the first itself. `site` is where pages are, without a slash."""

    id: str
    root: str
    subject: str
    alerts: tuple[Told, ...]
    site: str
    zone: ZoneInfo
    sent_at: datetime

    @property
    def is_digest(self) -> bool:
        return len(self.alerts) > 1

    @property
    def first(self) -> Told:
        return self.alerts[0]

    @property
    def severity(self) -> str:
        """The worst of them."""
        return max((each.severity for each in self.alerts), key=lambda name: SEVERITY_RANKS[name])

    @property
    def worst_first(self) -> list[Told]:
        """As a list shows them, which may end before they do."""
        return sorted(self.alerts, key=lambda each: -SEVERITY_RANKS[each.severity])

    @property
    def headline(self) -> str:
        if self.is_digest:
            return f"{len(self.alerts)} alerts"
        reminder = "Reminder: " if self.first.turn else ""
        return reminder + one_line(self.first.title)

    def link(self, told: Told) -> str:
        """The page that an alert is about."""
        path = told.facts.get("url")
        is_ours = isinstance(path, str) and path.startswith("/") and not path.startswith("//")
        return self.site + (str(path) if is_ours else f"/alerts/{told.number}")


def one_line(text: str, longest: int = 300) -> str:
    """Without line breaks, which headers must not have, and not without end."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
