"""LiteLLM's proxy asks before its calls: deploy/litellm_budgets.py with the real package.

The proxy's own server needs packages that are not installed here, so the hook is called as the
proxy calls it, and the calls themselves are LiteLLM's, with answers that it makes up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from enforcing import Gateway
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app

from finops.models import Reservation

pytestmark = [pytest.mark.django_db(transaction=True)]

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
PROGRAM = """
import asyncio, json, os, sys
import litellm
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger
from litellm.proxy._types import UserAPIKeyAuth
import litellm_budgets

url, key = os.environ["FARTHING_URL"], os.environ["INGEST_KEY"]
messages = [{"role": "user", "content": "Say the secret word."}]

async def ask(call_id, tags, team, fails=False, user="u-1"):
    data = {"model": "openai/gpt-4o", "messages": messages, "max_tokens": 400,
            "litellm_call_id": call_id, "metadata": {"tags": tags}}
    auth = UserAPIKeyAuth(team_alias=team, user_id=user)
    try:
        data = await litellm_budgets.gate.async_pre_call_hook(auth, None, data, "acompletion")
    except litellm.BadRequestError as error:
        return {"refused": "wrong", "message": str(error)}
    except litellm.BudgetExceededError as error:
        return {"refused": "block", "status": error.status_code, "message": str(error)}
    except litellm.RateLimitError as error:
        return {"refused": "throttle", "status": error.status_code, "headers": error.headers}
    reservation = data["metadata"].get("farthing_reservation")
    if fails:
        await litellm_budgets.gate.async_post_call_failure_hook(data, ValueError(), auth)
    else:
        await litellm.acompletion(mock_response="It is xyzzy.", **data)
    return {"reservation": reservation}

async def main():
    logger = GenericAPILogger(endpoint=url + "/api/v1/ingest/litellm", headers={"X-API-Key": key})
    litellm.callbacks = [logger]
    said = [
        await ask("call-1", ["feature:answers"], "cx"),
        await ask("call-2", ["feature:answers"], "cx", fails=True),
        await ask("call-3", ["feature:closed"], "cx"),
        await ask("call-4", ["feature:slow"], "cx"),
        await ask("call-5", ["feature:slow"], "cx"),
        await ask("call-8", ["feature:closed"], "cx", user="u" * 201),
        await ask("call-9", [], "cx", fails=True),
        await ask("call-10", [], "cx"),
    ]
    await asyncio.sleep(1)
    await logger.async_send_batch()
    litellm_budgets.gate = litellm_budgets.Gate()
    os.environ["INGEST_KEY"] = os.environ["TEAM_KEY"]
    said.append(await ask("call-11", [], "cx"))
    litellm_budgets.gate = litellm_budgets.Gate()
    os.environ["FARTHING_URL"] = "http://127.0.0.1:9"
    said.append(await ask("call-6", [], "cx"))
    os.environ["FARTHING_FAIL_CLOSED"] = "true"
    said.append(await ask("call-7", [], "cx"))
    print(json.dumps(said))

asyncio.run(main())
"""


def test_the_hook_blocks_throttles_reserves_and_releases(gateway: Gateway) -> None:
    door = gateway.door
    unpriced = {"unpriced": "estimate", "unpriced_rate": 1000}
    gateway.budget(100, filters={"feature": ["answers"], "team": ["cx"]}, **unpriced)
    gateway.budget("0.01", filters={"feature": ["closed"]}, **unpriced)
    gateway.budget(
        "0.01", enforced="throttle", filters={"feature": ["slow"], "user": ["u-1"]}, **unpriced
    )
    gateway.refresh()
    door.database.execute(  # as many calls as are asked about but one
        "UPDATE ingest_key SET events_per_minute = 7 WHERE service = %s", [door.source]
    )
    door.application.configuration.reload()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "NO_PROXY": "*",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PYTHONPATH": str(DEPLOY),
            "FARTHING_URL": door.url,
            "INGEST_KEY": door.key,
            "TEAM_KEY": door.new_key(door.source, team="hr"),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    made, failed, blocked, slow, throttled, wrong, last, too_many, other_team, away, closed = said
    assert (other_team["refused"], "of the team hr" in other_team["message"]) == ("wrong", True)
    assert last == {"reservation": None}  # of no budget
    assert (too_many["refused"], too_many["headers"]) == ("throttle", {"retry-after": "9"})
    assert (wrong["refused"], "user" in wrong["message"]) == ("wrong", True)
    assert (blocked["refused"], "whole amount" in blocked["message"]) == ("block", True)
    assert "reservation" in slow
    assert (throttled["refused"], throttled["status"]) == ("throttle", 429)
    assert int(throttled["headers"]["retry-after"]) >= 1
    assert away == {"reservation": None}
    assert closed["refused"] == "throttle"
    gateway.read()
    held = {str(each) for each in Reservation.objects.values_list("pk", flat=True)}
    assert made["reservation"] in held
    assert failed["reservation"] not in held
    gateway.refresh()  # the call's event is in the figures, known by LiteLLM's id of the call
    assert str(made["reservation"]) not in {
        str(each) for each in Reservation.objects.values_list("pk", flat=True)
    }
