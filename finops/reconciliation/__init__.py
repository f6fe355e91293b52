"""What providers billed, set against what was used: read, matched, and each difference explained.

Pure: reports in, cells with the parts of their differences out.
"""

from __future__ import annotations

from finops.reconciliation.billing_csv import ColumnMapping
from finops.reconciliation.cells import Billed, CellKey, Pair, Used, pairs
from finops.reconciliation.lines import TOKEN_KINDS, BillLine, LeftOut, UnreadableBill, kept
from finops.reconciliation.naming import provider_name
from finops.reconciliation.reports import KNOWN, Report, read
from finops.reconciliation.splitting import PARTS, Cell, split

__all__ = [
    "KNOWN",
    "PARTS",
    "TOKEN_KINDS",
    "BillLine",
    "Billed",
    "Cell",
    "CellKey",
    "ColumnMapping",
    "LeftOut",
    "Pair",
    "Report",
    "UnreadableBill",
    "Used",
    "kept",
    "pairs",
    "provider_name",
    "read",
    "split",
]
