"""Which column of somebody's own table is what, as a form or a program says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError

from finops.query import is_text
from finops.reconciliation import ColumnMapping
from finops.reconciliation.billing_csv import MAPPED

COLUMNS = tuple(f"column_{name}" for name in MAPPED)
TERMS = (*COLUMNS, "provider", "currency", "unit")
CURRENCY = re.compile(r"[A-Za-z]{3}")
UNIT = re.compile(r"[1-9][0-9]{0,9}")


def mapping_of(given: Mapping[str, str]) -> ColumnMapping | None:
    """Of TERMS; None where no column is named: then the file is one of those that are known.
    Raises ValidationError by term."""
    terms = {name: given.get(name, "").strip() for name in TERMS}
    wrong = {
        name: "Write plain text of at most 200 characters."
        for name, value in terms.items()
        if not is_text(value) or len(value) > 200
    }
    columns = {name: terms[f"column_{name}"] for name in MAPPED if terms[f"column_{name}"]}
    if not columns:
        if wrong or terms["provider"] or terms["unit"]:
            raise ValidationError(wrong or {"column_day": "Name the columns of your table too."})
        return None
    if "day" not in columns:
        wrong["column_day"] = "Name the column of the day."
    if not {"quantity", "amount"} & columns.keys():
        wrong["column_amount"] = "Name the column of the amount, of the quantity, or both."
    if "provider" not in columns and not terms["provider"]:
        wrong["provider"] = "Write whose bill it is, or name the column that says so."
    if terms["currency"] and not CURRENCY.fullmatch(terms["currency"]):
        wrong["currency"] = "Write a currency such as USD."
    if terms["unit"] and not UNIT.fullmatch(terms["unit"]):
        wrong["unit"] = "Write how many tokens one of the quantity is, such as 1000."
    if wrong:
        raise ValidationError(wrong)
    return ColumnMapping(
        columns,
        provider=terms["provider"],
        currency=terms["currency"].upper() or "USD",
        unit=Decimal(terms["unit"] or 1),
    )


def day_of(text: str) -> date | None:
    """Raises ValidationError."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValidationError({"day": "Write a day as 2026-10-01."}) from None
