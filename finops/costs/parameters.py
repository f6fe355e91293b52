"""The values of a statement, by the names of their placeholders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from psycopg.sql import Composable, Placeholder


@dataclass(slots=True)
class Parameters:
    """Hands out a placeholder for each value."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, value: object) -> Composable:
        return self.share(f"value_{len(self.values)}", value)

    def share(self, name: str, value: object) -> Composable:
        """By a name of its own: sent once, however often the statement has it."""
        self.values[name] = value
        return Placeholder(name)
