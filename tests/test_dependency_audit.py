"""What `make audit` makes of pip-audit's report: an audit that did not happen is no clean one."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

VERDICT = runpy.run_path(str(Path(__file__).parent.parent / ".ci" / "audit.py"))["verdict"]
SOUND: dict[str, Any] = {"name": "django", "version": "5.2.19", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}
FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["65.1"], "aliases": [], "description": "…"}
BROKEN: dict[str, Any] = {"name": "django-allauth", "version": "65.0", "vulns": [FLAW]}


@pytest.mark.parametrize(
    ("dependencies", "code", "words"),
    [
        ([SOUND, SOUND], 0, "no known vulnerability in 2 packages"),
        ([SOUND, UNKNOWN], 0, "in 1 packages. NOT AUDITED: 1"),
        ([UNKNOWN, UNKNOWN], 0, "NOT AUDITED"),
        ([SOUND, BROKEN, UNKNOWN], 1, "django-allauth 65.0: PYSEC-2026-1"),
    ],
)
def test_what_was_not_looked_at_is_not_called_clean(
    dependencies: list[dict[str, Any]], code: int, words: str
) -> None:
    said = VERDICT(dependencies)
    assert said[0] == code
    assert words in said[1]
