"""Settlements: events that replace the figures of other events, by adjustments.

    keeping   into the table `settlement`, in the transaction that acknowledges them
    chains    what a settlement is about: the event, and the settlements of it so far
    figures   what the event comes to, with what the settlement says
    applying  the reversal and the settled row
    waiting   put off, given up, forgotten
    settler   the thread that applies what waits

Nothing is overwritten. The reversal is the event with every figure negated, the settled row an
event like any other, both of the moment of the event: so every sum over any dimension and time is
that of the latest settlement.
"""

from __future__ import annotations

from ingest.settlements.keeping import keep

__all__ = ["keep"]
