"""A wrong value in the environment is refused at start, with what to write instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def start_with(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import finops.settings as s; print(s.ALLOWED_HOSTS)"],
        cwd=ROOT,
        env={**os.environ, "SECRET_KEY": "of this test", **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("FARTHING_EVENT_RETENTION_DAYS", "-5", "from 1 to 36500"),
        ("FARTHING_EVENT_RETENTION_DAYS", "0", "from 1 to 36500"),
        ("PORT", "70000", "from 1 to 65535"),
        ("PORT", "http", "from 1 to 65535"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR"),
        ("DATABASE_URL", "nonsense", "postgresql://user:password@host/database"),
        ("FARTHING_TIME_ZONE", "Mars/Olympus", "Europe/Berlin"),
        ("FARTHING_CURRENCY", "euro", "USD or EUR"),
        ("FARTHING_HTTPS", "perhaps", "true or false"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_to_write(
    name: str, value: str, advice: str
) -> None:
    refused = start_with(**{name: value})
    assert refused.returncode != 0
    last_line = refused.stderr.strip().splitlines()[-1]
    assert name in last_line
    assert advice in last_line


def test_the_machine_itself_may_always_ask() -> None:
    assert "127.0.0.1" in start_with(ALLOWED_HOSTS="farthing.example.com").stdout
