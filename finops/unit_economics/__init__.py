"""What an outcome costs: usage and what the business counts, set against each other day by day or
month by month, of the same teams, features or customers."""

from __future__ import annotations

from finops.unit_economics.cells import STATES, Cell, Cost, Place, cells, month_cells
from finops.unit_economics.changes import UnitCostChange, change_of, compared_period
from finops.unit_economics.figures import Answer, Figure, Row, fold, summed
from finops.unit_economics.questions import BASES, Question, Terms, Value, months_of, parse

__all__ = [
    "BASES",
    "STATES",
    "Answer",
    "Cell",
    "Cost",
    "Figure",
    "Place",
    "Question",
    "Row",
    "Terms",
    "UnitCostChange",
    "Value",
    "cells",
    "change_of",
    "compared_period",
    "fold",
    "month_cells",
    "months_of",
    "parse",
    "summed",
]
