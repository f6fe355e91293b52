"""Settings > Ownership: who pays for which usage; and what nobody does."""

from __future__ import annotations
