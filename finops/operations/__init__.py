"""Long work on what is stored, in short steps beside live traffic, each a row of Operation.

Rating again, rebuilding roll-ups and dropping old events are queued here, and whoever has time does
the next step of the first that waits: the worker, or the command that asked. A step is one day. It
and the note that it is done are one transaction, so whoever is killed leaves nothing half done, and
the next goes on from there. Loads are done by their command, which notes its progress here.
"""

from __future__ import annotations

from finops.operations.asking import (
    ask_rebuild,
    ask_refold,
    ask_rerate,
    ask_retention,
)
from finops.operations.control import NotPossible, cancel, pause, resume
from finops.operations.loads import Loading, begin_load
from finops.operations.reading import by_state, recent, working_on
from finops.operations.work import proceed

__all__ = [
    "Loading",
    "NotPossible",
    "ask_rebuild",
    "ask_refold",
    "ask_rerate",
    "ask_retention",
    "begin_load",
    "by_state",
    "cancel",
    "pause",
    "proceed",
    "recent",
    "resume",
    "working_on",
]
