"""What a newcomer's mistakes on the command line are answered with: a sentence, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = "http://127.0.0.1:1"


def refusal(*arguments: str, **environment: str) -> str:
    """What a command that must fail says."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "SECRET_KEY": "of this test", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_database_that_is_not_there_is_said_to_be_away(tmp_path: Path) -> None:
    said = refusal("revoke", DATABASE_URL=f"postgresql:///farthing?host={tmp_path}")
    assert "The database does not answer. Start Farthing (make up)" in said
    assert "FARTHING_DATA_DIR or DATABASE_URL" in said


@pytest.mark.django_db(transaction=True)
def test_a_database_without_tables_is_to_be_prepared(database_url: str) -> None:
    empty = f"{database_url}&options=-csearch_path%3Dnowhere"
    assert "run `manage.py prepare`" in refusal("revoke", DATABASE_URL=empty)


def test_a_wrong_setting_is_one_line() -> None:
    assert refusal("revoke", PORT="http").strip() == (
        "PORT='http': write a whole number from 1 to 65535."
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["load_demo", "--requests", "0"], "--requests: write 1 or more"),
        (["load_demo", "--days", "0"], "--days: write 1 to 399"),
        (["load_demo", "--days", "9999"], "--days: write 1 to 399"),
        (["load_demo", "--url", NOWHERE], f"Nothing answers at {NOWHERE}"),
        (["load_events", "none.jsonl"], "none.jsonl: No such file"),
        (["load_events", "tests"], "tests: Is a directory"),
        (["load_events", "README.md", "--connections", "0"], "--connections: write 1 or more"),
        (["load_events", "README.md", "--key", "ключ"], "--key: no ingest key"),
        (["load_events", "README.md", "--key", "fk_a", "--url", "http://["], "Nothing answers"),
        (["rebuild_rollups", "--start", "2026-11-01", "--end", "2026-10-01"], "later end"),
        (["create_ingest_key", " "], "SERVICE: write the name"),
        (["create_api_token", "nobody"], "No user is named 'nobody'"),
        (["revoke", "fk_nobody"], "lists them"),
    ],
)
@pytest.mark.django_db
def test_a_wrong_argument_is_named_with_what_to_do(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(CommandError, match=said.replace("[", r"\[")):
        call_command(*arguments)
