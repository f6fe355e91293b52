"""Who may see and do what: roles bring abilities, teams narrow what is seen, addresses ask both."""

from __future__ import annotations

from finops.access.addresses import RULES, Open, Rule, allows
from finops.access.narrowing import narrow, teams_seen
from finops.access.roles import Ability, Reader, Standing, holders, standing

__all__ = [
    "RULES",
    "Ability",
    "Open",
    "Reader",
    "Rule",
    "Standing",
    "allows",
    "holders",
    "narrow",
    "standing",
    "teams_seen",
]
