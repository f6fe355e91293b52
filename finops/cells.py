"""Cells of tables that a spreadsheet opens: text that it would run as a formula is neutralised."""

from __future__ import annotations

# A spreadsheet runs a cell that begins so, some also in full width or after blanks; an apostrophe
# before it makes it text.
FORMULA_STARTS = (
    *"=+-@",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
CONTROL_STARTS = ("\t", "\r", "\n")


def text_cell(text: str) -> str:
    """What people have named. Numbers are ours and stay as they are."""
    runs = text.startswith(CONTROL_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
    return "'" + text if runs else text
