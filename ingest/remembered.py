"""Numbers by name, within a bound of memory: the oldest are forgotten first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

Name = TypeVar("Name")


class Remembered(dict[Name, int]):
    """Read by many threads, which see it before or after a change, both right; changed by one."""

    def __init__(self, most_bytes: int, weigh: Callable[[Name], int]) -> None:
        super().__init__()
        self._most = most_bytes
        self._weigh = weigh
        self._weight = 0

    def note(self, found: Mapping[Name, int]) -> None:
        new = [name for name in found if name not in self]
        self._weight += sum(map(self._weigh, new))
        self.update(found)
        forgotten: list[Name] = []
        for name in self:
            if self._weight <= self._most:
                break
            forgotten.append(name)
            self._weight -= self._weigh(name)
        for name in forgotten:
            del self[name]
