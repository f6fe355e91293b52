"""What the ingest desk offers to copy works, and what is refused at the door shows there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.test import Client
from ingest_server import Door, event, result

from finops.pages.snippets import snippets


@pytest.mark.parametrize("title", ["curl", "Python", "With the provider's own usage block"])
def test_a_snippet_works_as_it_stands(door: Door, title: str) -> None:
    [snippet] = [each for each in snippets(door.url) if each.title == title]
    program = ["sh", "-c"] if snippet.language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*program, snippet.text],
        env={**os.environ, "INGEST_KEY": door.key, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "accepted" in done.stdout
    assert len(door.rows()) == 1


def test_a_refused_event_shows_on_the_page(door: Door, signed_in: Client) -> None:
    result(door.post([event(model="")]))
    page = signed_in.get("/ingest").text
    assert "empty_model" in page
