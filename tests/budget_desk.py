"""Budgets for tests of their pages, made as a person makes them: tested, then saved."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from finops.models import Budget


def given(**changes: Any) -> dict[str, Any]:
    """A filled-in form: 100 USD a month of everything, told at 80 and at 100 %."""
    return {
        "act": "test",
        "name": "All of it",
        "period": "monthly",
        "cost": "effective_cost",
        "amount_kind": "fixed",
        "amount": "100",
        "unpriced": "ignore",
        "dimension": ["", ""],
        "sense": ["is", "is"],
        "value": ["", ""],
        "threshold_basis": ["actual", "actual", "actual"],
        "threshold_value": ["80", "100", ""],
        "threshold_kind": ["percent", "percent", "percent"],
        "threshold_window": ["", "", ""],
        "threshold_severity": ["warning", "critical", "warning"],
        **changes,
    }


def of_team(team: str, **changes: Any) -> dict[str, Any]:
    filters = {"dimension": ["team", ""], "sense": ["is", "is"], "value": [team, ""]}
    return given(**{"name": f"All of {team}", **filters, **changes})


def tried(client: Client, form: dict[str, Any], path: str = "/budgets/new") -> HttpResponse:
    return client.post(path, {**form, "act": "test"})


def saved(client: Client, form: dict[str, Any], path: str = "/budgets/new") -> HttpResponse:
    """What saving is answered with, after a test of the same."""
    page = tried(client, form, path)
    assert page.status_code == 200, page.content.decode()
    hidden = {
        name: re.search(rf'name="{name}" value="(\w*)"', page.content.decode())
        for name in ("tested", "version")
    }
    found = {name: match[1] for name, match in hidden.items() if match}
    return client.post(path, {**form, "act": "save", **found})


def made(client: Client, form: dict[str, Any]) -> Budget:
    response = saved(client, form)
    assert response.status_code == 302, response.content.decode()
    return Budget.objects.get(pk=int(response["Location"].rsplit("/", 1)[1]))
