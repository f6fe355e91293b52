"""What accompanies the file: which specification and columns it has, who made it and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from finops.focus.columns import COLUMNS, Column
from finops.focus.months import Month, utc

VERSION = "1.2"
# Another one when a column comes, goes or changes its meaning.
SCHEMA_ID = "farthing-focus-2"


def metadata(month: Month, *, made_at: datetime, **more: Any) -> dict[str, Any]:
    """As FOCUS's metadata schema has it; `more` are our own entries."""
    return {
        "DataGenerator": {"DataGenerator": "Farthing"},
        "Schema": {
            "SchemaId": SCHEMA_ID,
            "FocusVersion": VERSION,
            "CreationDate": utc(made_at.astimezone(UTC)),
            "ColumnDefinition": [definition(column) for column in COLUMNS],
        },
        "x_Month": f"{month.first:%Y-%m}",
        "x_TimeZone": month.zone.key,
        "x_Status": month.status,
        "x_StatementVersion": month.version,
        **more,
    }


def definition(column: Column) -> dict[str, str]:
    found = {"ColumnName": column.name, "DataType": column.kind}
    if column.kind in {"STRING", "JSON"}:
        found["StringEncoding"] = "UTF-8"
    return {**found, **({"x_About": column.about} if column.about else {})}
