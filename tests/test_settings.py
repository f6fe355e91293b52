"""Settings from the environment: a wrong one is refused at start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("code", ["EUR", "usd"])
def test_a_currency_that_the_ledger_does_not_hold_is_refused_at_start(code: str) -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import finops.settings"],
        env={**os.environ, "FARTHING_CURRENCY": code},
        capture_output=True,
        text=True,
    )
    assert started.returncode == 1
    assert "figures are in USD; there is no exchange-rate table yet" in started.stderr
