"""LiteLLM itself, with answers that it makes up, logs to the running door.

One process runs all of it, since importing LiteLLM alone takes seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from ingest_server import Door

from finops.pages.snippets import snippets
from ingest import app

PROGRAM = """
import asyncio, json, os, sys, yaml
import litellm
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger
from litellm.litellm_core_utils.logging_callback_manager import LoggingCallbackManager

url, keys, snippet, config = json.loads(sys.argv[1])
messages = [{"role": "user", "content": "Say the secret word."}]

async def ask(**more):
    try:
        return await litellm.acompletion(model="openai/gpt-4o", messages=messages, **more)
    except litellm.RateLimitError:
        pass

async def logged(loggers):
    await asyncio.sleep(1)
    for logger in loggers:
        await logger.async_send_batch()

async def formats():
    loggers = [
        GenericAPILogger(
            endpoint=url + "/api/v1/ingest/litellm",
            headers={"Authorization": "Bearer " + keys["formats"]},
            log_format=log_format,
        )
        for log_format in ("json_array", "ndjson", "single")
    ]
    litellm.callbacks = loggers
    await ask(mock_response="It is xyzzy.", user="u-1", metadata={"tags": ["feature:answers"]})
    async for chunk in await ask(mock_response="It is xyzzy, in parts.", stream=True):
        await asyncio.sleep(0.01)
    await ask(mock_response="litellm.RateLimitError")
    await litellm.aembedding(model="text-embedding-3-small", input="word", mock_response=[0.1])
    await logged(loggers)

async def proxy():
    # What the proxy does with its config.yaml; the proxy needs much more than LiteLLM.
    settings = yaml.safe_load(config)
    [name] = settings["litellm_settings"]["callbacks"]
    litellm.callback_settings = settings["callback_settings"]
    headers = litellm.callback_settings[name]["headers"]
    for header, value in headers.items():
        headers[header] = os.environ[value.removeprefix("os.environ/")]
    litellm.callbacks = [LoggingCallbackManager.add_custom_callback_generic_api_str(name)]
    await ask(mock_response="Hello!")
    await logged(litellm.callbacks)

async def both():
    await formats()
    litellm.logging_callback_manager._reset_all_callbacks()
    os.environ["INGEST_KEY"] = keys["proxy"]
    await proxy()

os.environ["INGEST_KEY"] = keys["snippet"]
exec(snippet)
litellm.logging_callback_manager._reset_all_callbacks()
asyncio.run(both())
"""


@pytest.fixture(scope="module")
def logged(
    ingest_server: str, ingest_app: app.App, database: psycopg.Connection[dict[str, Any]]
) -> Iterator[dict[str, Door]]:
    """Doors by what logged through them."""
    texts = {each.title: each.text for each in snippets(ingest_server)}
    with httpx.Client() as http:
        doors = {}
        for name in ("formats", "proxy", "snippet"):
            service = f"{name}-{uuid4().hex}"
            doors[name] = Door(ingest_server, database, ingest_app, http, service, "")
            doors[name].key = doors[name].new_key(service)
        keys = {name: door.key for name, door in doors.items()}
        given = [ingest_server, keys, texts["LiteLLM in Python"], texts["LiteLLM proxy"]]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps(given)],
            env={**os.environ, "NO_PROXY": "*", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        yield doors


def test_every_call_is_there_once_whatever_the_format(logged: dict[str, Door], db: None) -> None:
    rows = logged["formats"].rows()
    told = sorted((row["model"], row["status"], row["ttft_ms"] is not None) for row in rows)
    assert told == [
        ("gpt-4o", "ok", False),
        ("gpt-4o", "ok", True),
        ("gpt-4o", "throttled", False),
        ("text-embedding-3-small", "ok", False),
    ]
    [answers] = [row for row in rows if row["feature"]]
    assert (answers["feature"], answers["user_name"]) == ("answers", "u-1")
    assert answers["text_output_tokens"] > 0
    assert answers["reported_cost"] > 0
    assert "xyzzy" not in str(rows)
    assert sum(batch["duplicates"] for batch in logged["formats"].batches()) == 8


def test_the_proxys_configuration_points_it_here(logged: dict[str, Door], db: None) -> None:
    row = logged["proxy"].row()
    assert (row["model"], row["status"]) == ("gpt-4o", "ok")


def test_the_snippet_works_as_it_stands(logged: dict[str, Door], db: None) -> None:
    row = logged["snippet"].row()
    assert (row["model"], row["feature"], row["user_name"]) == ("gpt-4o-mini", "answers", "u-1842")
