"""`manage.py up` as an operator meets it: first start, refusals, stop, start again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from bench import pages, system
from bench.system import System

ROOT = Path(__file__).resolve().parent.parent
MOST_MEMORY = 1.5e9
REDIS = shutil.which("redis-server")


@contextmanager
def up(home: Path, **more: str) -> Iterator[System]:
    log = home / "log"
    environment = environment_of(home, **more)
    begun = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        system.wait_until_ready(process, log, 120)
        url = f"http://127.0.0.1:{environment['PORT']}"
        yield System(url, environment, process, home, time.monotonic() - begun)
    finally:
        process.terminate()
        process.wait(90)


def environment_of(home: Path, **more: str) -> dict[str, str]:
    environment = {
        **os.environ,
        "PORT": str(system.free_port()),
        "FARTHING_DATA_DIR": str(home / "data"),
        "FARTHING_RUNTIME_DIR": str(home / "run"),
    }
    for name in ("DATABASE_URL", "BROKER_URL"):
        environment.pop(name, None)
    return environment | more


def refusal(environment: dict[str, str]) -> str:
    """What `up` says when it refuses to start."""
    refused = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 1
    return refused.stderr


def everyone(farthing: System) -> list[psutil.Process]:
    return [process for part in farthing.processes().values() for process in part]


def test_all_processes_together_stay_within_their_memory(farthing: System) -> None:
    used = farthing.memory_bytes()
    assert set(used) == {"parent", "postgres", "ingest", "web", "worker"}
    assert sum(used.values()) < MOST_MEMORY


def test_the_worker_leaves_the_processors_to_whoever_waits_for_an_answer(farthing: System) -> None:
    nice = {
        part: {process.nice() for process in processes}
        for part, processes in farthing.processes().items()
    }
    assert min(nice["worker"]) > max(nice["ingest"] | nice["web"] | nice["postgres"])


def test_messages_of_the_embedded_broker_do_not_pile_up(farthing: System) -> None:
    # The schedule sends one a second; each is gone once the worker has taken it.
    assert len(list((farthing.directory / "data" / "broker" / "queue").iterdir())) < 20


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not there")
def test_the_examples_of_the_readme_run(farthing: System) -> None:
    keys = {
        "INGEST_KEY": farthing.manage("create_ingest_key", "support-bot", "--team", "cx"),
        "API_TOKEN": farthing.manage("create_api_token", pages.ADMINISTRATOR),
    }
    sent = run_example("send", farthing, keys)
    assert json.loads(sent) == {"accepted": 1, "duplicates": 0, "rejected": []}
    system.wait_until_rolled_up(farthing, 30)
    asked = json.loads(run_example("ask", farthing, keys))
    assert asked["currency"] == "USD"
    assert json.loads(run_example("settle", farthing, keys))["accepted"] == 1
    assert json.loads(run_example("authorize", farthing, keys))["decision"] == "allow"
    listed, one = run_example("requests", farthing, keys).replace("}{", "}\n{").splitlines()
    assert "chat-8f3a" in [request["id"] for request in json.loads(listed)["requests"]]
    assert "trace" in one


def run_example(name: str, farthing: System, keys: dict[str, str]) -> str:
    """Run a shell example of the README against this server and return what it prints."""
    readme = (ROOT / "README.md").read_text()
    example = readme.split(f"<!-- example: {name} -->\n```sh\n", 1)[1].split("```", 1)[0]
    done = subprocess.run(
        ["sh", "-ec", example.replace("http://127.0.0.1:8000", farthing.url)],
        env=os.environ | keys,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_second_farthing_on_the_same_data_is_refused(farthing: System) -> None:
    said = refusal(environment_of(farthing.directory))
    assert f"already running (process {farthing.process.pid})" in said
    assert "FARTHING_DATA_DIR" in said


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = refusal(environment_of(tmp_path, PORT=port))
    assert f"Port {port} of 127.0.0.1 is not to be had" in said
    assert "PORT=8001 make up" in said
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert f"{tmp_path / 'data'}" in refusal(
        environment_of(tmp_path, SECRET_KEY="for this test only, never for a server")
    )


def test_stopping_leaves_no_process_and_starting_again_keeps_the_data() -> None:
    home = Path(tempfile.mkdtemp(prefix="farthing-"))
    with up(home) as farthing:
        last = (home / "log").read_text().splitlines()
        assert f"Ready: {farthing.url}  first visit creates the administrator" in last
        key = farthing.manage("create_ingest_key", "kept")
        left = everyone(farthing)
    assert farthing.process.returncode == 0
    assert "The schedule ended" not in (home / "log").read_text()
    assert all(system.part_of(process) == "gone" for process in left)
    assert not (home / "run").exists()
    with up(home) as farthing:
        answer = httpx.post(
            f"{farthing.url}/api/v1/events", json=[], headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 200
        pages.create_administrator(farthing)
        farthing.process.kill()
        farthing.process.wait()
        # The undertaker ends them, PostgreSQL with a checkpoint; the next start waits for it.
        with up(home) as again:
            assert f"Ready: {again.url}" in (home / "log").read_text().splitlines()
            assert again.manage("create_ingest_key", "kept too")
    shutil.rmtree(home)


@pytest.mark.skipif(not REDIS and not os.environ.get("CI"), reason="redis-server is not there")
def test_redis_carries_the_tasks_where_it_is_named() -> None:
    home = Path(tempfile.mkdtemp(prefix="farthing-"))
    assert REDIS, "CI has redis-server"
    redis = subprocess.Popen(
        [REDIS, "--port", "0", "--unixsocket", str(home / "redis.sock"), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    try:
        # It is ready when the worker has folded, and that is a task the schedule sent.
        with up(home, BROKER_URL=f"redis+socket://{home / 'redis.sock'}"):
            assert not (home / "data" / "broker").exists()
    finally:
        redis.send_signal(signal.SIGTERM)
        redis.wait(30)
    shutil.rmtree(home)
