"""What the OpenAPI document says of files for other systems: workbooks, journals, requests."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes

from finops.api.schema import FILTERS, PERIOD, PROBLEMS

BREAKS = (
    "It is streamed. What fails on the way breaks the connection, so that no file ends as if it "
    "were whole."
)
REQUESTS_CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "requests_csv",
    "summary": "All of them as CSV",
    "description": "One row per request of the period and filters, newest first, in any number, as "
    "one moment saw them, with the cost center of its day, what it cost, and the numbers of the "
    "price lines that rated it. A reversal takes back what a settlement replaced: the rows of a "
    f"period add up to its figures. Unknown is empty. {BREAKS}",
    "parameters": [*PERIOD, *FILTERS],
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS},
}
