"""Unit economics: what an outcome costs, and what is left of money."""

from __future__ import annotations
