"""The pages of end users: all of them in order, one of them, and limits for each. People who sign
in are another thing: finops.pages.people."""

from __future__ import annotations
