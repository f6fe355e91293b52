"""Who pays for which usage, from which day on: cost centers, and rules in an order."""

from __future__ import annotations
