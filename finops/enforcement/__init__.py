"""Enforcement of budgets: hands over to the ingest process what budgets stand at.

Ingest answers whether a call may be made (ingest/enforcement) and may not ask us: so a refresh
writes, in one transaction, the terms of enforced budgets, what is spent of them, and takes away the
reservations whose calls are in these very figures.
"""

from __future__ import annotations

from finops.enforcement.acting import NOTHING, Acting, Acts, read
from finops.enforcement.refreshing import Kept, Refreshed, refresh

__all__ = ["NOTHING", "Acting", "Acts", "Kept", "Refreshed", "read", "refresh"]
