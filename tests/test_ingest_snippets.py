"""What the ingest desk offers to copy works, and what is refused at the door shows there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from ingest_server import Door, event, result
from openai_stand_in import openai_stand_in

import ingest.client
from finops.pages.snippets import snippets

# Those for LiteLLM are tried in test_litellm_package.py.
RUN = [
    *("curl", "Python", "With the provider's own usage block"),
    "Python, with Farthing's client",
]


@pytest.mark.parametrize("title", RUN)
def test_a_snippet_works_as_it_stands(door: Door, title: str, tmp_path: Path) -> None:
    (tmp_path / "farthing").symlink_to(Path(ingest.client.__file__).parent)
    [snippet] = [each for each in snippets(door.url) if each.title == title]
    program = ["sh", "-c"] if snippet.language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*program, snippet.text],
        env={
            **os.environ,
            "INGEST_KEY": door.key,
            "NO_PROXY": "*",
            "PYTHONPATH": str(tmp_path),  # where pip would have put the client
            "XDG_STATE_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "accepted" in done.stdout
    assert len(door.rows()) == 1


def test_a_program_with_the_opentelemetry_snippet_before_it_is_recorded(door: Door) -> None:
    [snippet] = [each for each in snippets(door.url) if each.title == "OpenTelemetry"]
    with openai_stand_in() as api:
        done = subprocess.run(
            ["sh", "-c", f'{snippet.text}\n"$PYTHON" "$PROGRAM" genai'],
            env={
                **os.environ,
                "INGEST_KEY": door.key,
                "NO_PROXY": "*",
                "OPENAI_BASE_URL": api,
                "OPENAI_API_KEY": "none",
                "PYTHON": sys.executable,
                "PROGRAM": str(Path(__file__).with_name("otlp_program.py")),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    told = {(row["service"], row["feature"], row["team"]) for row in door.rows()}
    assert told == {("answers", "answers", "cx")}


def test_a_refused_event_shows_on_the_page(door: Door, signed_in: Client) -> None:
    result(door.post([event(model="")]))
    page = signed_in.get("/ingest").text
    assert "empty_model" in page
