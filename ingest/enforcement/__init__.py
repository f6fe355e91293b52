"""Whether a call may be made: asked by gateways before it, answered from budgets' figures.

finops writes what budgets stand at (finops/enforcement); this process reads it every second,
answers from memory, and keeps reservations as rows that every process sees.
"""

from __future__ import annotations
