"""What the OpenAPI document says of files for other systems: workbooks, journals, requests."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from finops.api.allocation_schema import ABOUT, GONE, JSON, MONTH
from finops.api.schema import FILTERS, PERIOD, PROBLEMS, ProblemSerializer
from finops.exports.workbook import CONTENT_TYPE

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
    "period add up to its figures. Costs are in currency; reported_cost_usd, what the client said, "
    f"is in dollars always. Unknown is empty. {BREAKS}",
    "parameters": [*PERIOD, *FILTERS],
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS},
}
XLSX_SCHEMA: dict[str, Any] = {
    "operation_id": "allocation_xlsx",
    "summary": "The same as a workbook (XLSX)",
    "description": f"{ABOUT} A summary by cost center, the rows of the CSV file, and, where there "
    "are any, shares, adjustments and paid capacity. Spreadsheets keep 15 digits of a number: "
    "amounts with more of them stand beside their numbers as text, in columns named (exact). Names "
    "are text whatever they begin with. What a sheet has no rows for goes on in the next one.",
    "parameters": [MONTH],
    "responses": {(200, CONTENT_TYPE): OpenApiTypes.BINARY, **PROBLEMS, **GONE},
}
JOURNAL_SCHEMA: dict[str, Any] = {
    "operation_id": "allocation_journal",
    "summary": "The month as journal lines with GL accounts",
    "description": "The account of each cost center is debited with what it bears, in whole cents; "
    "credited are the accounts of cost items, and the clearing account for the rest. Debits equal "
    "credits. A version of a closed month keeps the accounts that its journal was first made with. "
    "409 names what has no account.",
    "parameters": [
        MONTH,
        OpenApiParameter(
            "since",
            {"type": "integer", "minimum": 0},
            description="Of a month that was closed more than once, needed: the version that is "
            "booked already, and the journal has what changed since; 0, if none is.",
        ),
    ],
    "responses": {
        (200, "text/csv"): OpenApiTypes.STR,
        (409, JSON): OpenApiResponse(ProblemSerializer, description="Accounts are missing."),
        **PROBLEMS,
        **GONE,
    },
}
