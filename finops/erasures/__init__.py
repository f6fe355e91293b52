"""One end user's history erased: the name goes from every table, the figures stay.

The row of end_user keeps its number and gets a random name at once, so that no sum is touched.
Ingest forgets the old name within two seconds; then the worker searches every table, in portions,
and goes on where it was after an interruption. Last of all the erasure forgets the name itself.

asking         what is stored of a user, and the beginning of an erasure
work           its steps, one after the other
mentions       the name in any table; attributions and days look into those
certificates   what was done, with a digest
"""

from __future__ import annotations

from finops.erasures.asking import SETTLED, Found, UnknownUser, begin, find
from finops.erasures.certificates import certificate, digest
from finops.erasures.work import proceed

__all__ = [
    "SETTLED",
    "Found",
    "UnknownUser",
    "begin",
    "certificate",
    "digest",
    "find",
    "proceed",
]
