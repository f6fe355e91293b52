"""What a series is of: all usage, or what one value of a dimension or of two keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from finops import labels

# The groupings that are watched, with how many of the largest of each; users by the day alone.
GROUPINGS: Mapping[tuple[str, ...], int] = {
    (): 1,
    ("team",): 15,
    ("feature",): 15,
    ("model",): 15,
    ("feature", "model"): 20,
    ("team", "feature"): 20,
}
USERS = ("user",)
MOST_USERS = 20
# What has a part of another series that is as good as all of it says nothing by itself.
WHOLE = 0.995
LONGEST_NAME = 2000  # as Anomaly.series holds


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """`filters` are (dimension, value), in the order of their dimensions."""

    filters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, filters: Mapping[str, str]) -> Key:
        return cls(tuple(sorted(filters.items())))

    @classmethod
    def grouped(cls, dimensions: Sequence[str], values: Sequence[str]) -> Key:
        return cls.of(dict(zip(dimensions, values, strict=True)))

    @property
    def name(self) -> str:
        """One text for the database: {"feature":"answers","model":"gpt-4o"}; "" of all usage. Of
        values that are too long when written so, as control characters are, their digest."""
        if not self.filters:
            return ""
        text = json.dumps(dict(self.filters), ensure_ascii=False, separators=(",", ":"))
        return text if len(text) <= LONGEST_NAME else sha256(text.encode()).hexdigest()

    @property
    def team(self) -> str:
        return dict(self.filters).get("team", "")

    @property
    def title(self) -> str:
        """feature answers, model gpt-4o; all usage."""
        return titled(dict(self.filters))

    def holds(self, other: Key) -> bool:
        """Whether all usage of the other is in this one."""
        return set(self.filters) <= set(other.filters)

    def is_compatible(self, other: Key) -> bool:
        """Whether one request may be of both."""
        own = dict(self.filters)
        return all(own.get(name, value) == value for name, value in other.filters)


def titled(filters: Mapping[str, str]) -> str:
    if not filters:
        return "all usage"
    return ", ".join(
        f"{labels.dimension(name).lower() if not name.startswith('tag:') else name} {value}"
        for name, value in sorted(filters.items())
    )
