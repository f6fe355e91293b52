"""Close: the month's books, step by step; and the statements that come of it."""

from __future__ import annotations
