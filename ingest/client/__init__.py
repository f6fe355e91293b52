"""Farthing's client for Python: says what each model call used, and never stands in its way.

    import farthing                     # inside Farthing's repository: from ingest import client

    farthing.configure("http://127.0.0.1:8000", key="fk_…", feature="answers")
    with farthing.track(user="u-1842") as call:
        response = openai.chat.completions.create(…)
        call.answered(response)

Events are gathered and sent by a thread of their own. Whatever goes wrong with them is logged
under the name "farthing" and never raised. It needs nothing but Python.
"""

from __future__ import annotations

from .answers import from_anthropic, from_openai
from .default import close, configure, flush, record, track
from .recorder import Recorder
from .tracking import Call

__all__ = [
    "Call",
    "Recorder",
    "close",
    "configure",
    "flush",
    "from_anthropic",
    "from_openai",
    "record",
    "track",
]
