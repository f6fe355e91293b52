"""Nothing that opens anything is in what the processes write or in how they were called."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import httpx
import identity_provider
import psutil
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import User
from django.db import connection
from identity_provider import Provider
from ingest_server import event, until

from bench.system import free_port
from finops.log_redaction import Redacting, redacted
from tests.desks import reader
from tests.fact_tables import forget_facts
from tests.test_single_sign_on import GRACE

ROOT = Path(__file__).parent.parent
PASSWORD, WRONG = "correct horse battery", "wrong-password-0451"
GIVEN = {
    "SECRET_KEY": "signs-every-session-0451-0451-0451-0451-0451-0451",
    "FARTHING_USER_HASH_KEY": "hides-every-name-0451-0451-0451-0451-0451-0451",
    "EMAIL_URL": "smtp://farthing:mail-0451@127.0.0.1:1",
    "BROKER_URL": "redis://:broker-0451@127.0.0.1:1/0",
}


class Installation:
    """Web and ingest on the test's database, as talkative as can be."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.log = directory / "log"
        self.environment = environment
        self.url = f"http://127.0.0.1:{environment['PORT']}"
        self.processes: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.log.open("wb") as output:
            for program in (["manage.py", "web"], ["-m", "finops.ingest_process"]):
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, *program],
                        cwd=ROOT,
                        env=self.environment,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                    )
                )
            try:
                yield
            finally:
                for process in self.processes:
                    process.terminate()
                for process in self.processes:
                    process.wait(30)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/sign-in", timeout=30).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture
def provider() -> Iterator[Provider]:
    with identity_provider.running() as provider:
        provider.person = GRACE | {"email": "ada@example.org"}
        yield provider


@pytest.fixture
def installation(
    transactional_db: None, database_url: str, provider: Provider, tmp_path: Path
) -> Iterator[Installation]:
    ada = User.objects.create_superuser("ada", "ada@example.org")
    # Tests hash with what a server does not take.
    ada.password = make_password(PASSWORD, hasher=PBKDF2PasswordHasher())
    ada.save()
    port = str(free_port())
    environment = {
        **os.environ,
        **GIVEN,
        "DATABASE_URL": f"{database_url}&password=database-0451",
        "PORT": port,
        "FARTHING_DATA_DIR": str(tmp_path / "data"),
        "FARTHING_RUNTIME_DIR": str(tmp_path / "run"),
        "LOG_LEVEL": "DEBUG",
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": identity_provider.CLIENT_ID,
        "OIDC_CLIENT_SECRET": identity_provider.SECRET,
    }
    installation = Installation(tmp_path, environment)
    with installation.running():
        until(installation.answers, 60)
        yield installation
    forget_facts()


class Browser:
    """Forms are sent as a browser sends them; what was typed or shown is remembered."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.secrets = {PASSWORD, WRONG, *re.findall(r"[\w-]*0451[\w-]*", str(GIVEN))}

    def send(self, path: str, **fields: str) -> httpx.Response:
        self.http.get(path)
        token = self.http.cookies.get("csrftoken", "")
        answer = self.http.post(path, data=fields | {"csrfmiddlewaretoken": token})
        self.remember()
        return answer

    def remember(self, *found: str) -> None:
        cookies = (each.value for each in self.http.cookies.jar if each.name != "messages")
        self.secrets.update(found, filter(None, cookies))


def test_nothing_that_opens_anything_is_written_down(installation: Installation) -> None:
    with ExitStack() as ending:
        http = ending.enter_context(
            httpx.Client(base_url=installation.url, timeout=60, follow_redirects=True)
        )
        browser = Browser(http)
        key = use_keys(browser)
        use_links(browser)
        sign_in_by_provider(browser)
        break_pages(browser, key)
    written = installation.log.read_text()
    for sign in ("Forbidden", "Traceback", "UndefinedTable", "/invitations/…"):
        assert sign in written  # there was enough to be heard
    called = [" ".join(psutil.Process(each.pid).cmdline()) for each in installation.processes]
    for secret in browser.secrets | {identity_provider.SECRET, "database-0451"}:
        assert secret not in written
        assert secret not in " ".join(called)


def use_keys(browser: Browser) -> str:
    """Sign in, wrongly first; make and use a key and a token, and use them wrongly."""
    browser.send("/sign-in", username="ada", password=WRONG)
    assert "What did we spend" in browser.send("/sign-in", username="ada", password=PASSWORD).text
    made = browser.send("/keys/new", service="gateway").text
    key = re.search(r"fk_\w{8}_\w{40}", made)
    token = re.search(r"ft_\w{8}_[\w-]{40}", browser.send("/tokens/new", name="sheet").text)
    assert key
    assert token
    http = browser.http
    for bearer in (key[0], key[0][:-1] + "x", token[0], "x" + token[0]):
        browser.remember(bearer)
        given = {"Authorization": f"Bearer {bearer}"}
        http.post("/api/v1/events", json=[event(), {"id": bearer}], headers=given)
        http.post("/api/v1/events", content=b"{" + bearer.encode(), headers=given)
        http.get("/api/v1/costs", headers=given)
        http.get("/api/v1/requests/nothing", params={"token": bearer}, headers=given)
    return key[0]


def use_links(browser: Browser) -> None:
    """An invitation and a new password: opened, refused, asked for after they were used."""
    invited = {"email": "bob@example.org", "role": "viewer", "teamless": "on"}
    page = browser.send("/people/invitations", **invited).text
    link = re.search(r"/invitations/([\w-]{20,})", page)
    assert link
    browser.remember(link[1])
    with httpx.Client(base_url=str(browser.http.base_url), timeout=60) as stranger:
        stranger.post(link[0])
        stranger.get(link[0], params={"next": "/"})
        stranger.get(link[0] + "/more")
        other = Browser(stranger)
        other.send(link[0], username="bob", password=PASSWORD, again=WRONG)
        other.send("/password", email="ada@example.org")
        stranger.get("/password/new/1-set-0451-password")
        stranger.post("/password/new/1-set-0451-password")
    browser.remember("set-0451-password", *other.secrets)


def sign_in_by_provider(browser: Browser) -> None:
    browser.send("/sign-out")
    for _ in range(2):
        answer = browser.http.get("/sign-in/with/sso?process=login")
        for past in answer.history:
            browser.remember(*re.findall(r"(?:code|state|code_challenge)=([\w-]+)", str(past.url)))
        browser.remember()
    assert "What did we spend" in answer.text


def break_pages(browser: Browser, key: str) -> None:
    """A table that is gone, while secrets are on their way to it."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE api_token RENAME TO was_api_token")
        try:
            bearer = {"Authorization": f"Bearer ft_abcdef01_{'0451' * 10}"}
            browser.remember(f"ft_abcdef01_{'0451' * 10}")
            assert browser.http.get("/api/v1/costs", headers=bearer).status_code == 500
            assert browser.send("/tokens/new", name=key).status_code == 500
        finally:
            cursor.execute("ALTER TABLE was_api_token RENAME TO api_token")


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "revoke"],
        cwd=ROOT,
        env={
            **os.environ,
            **GIVEN,
            "DATABASE_URL": "postgresql://farthing:database-0451@127.0.0.1:1/farthing",
            "FARTHING_DATA_DIR": str(tmp_path),
            "LOG_LEVEL": "DEBUG",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode
    assert "127.0.0.1" in done.stdout + done.stderr
    assert "0451" not in done.stdout + done.stderr


@pytest.mark.django_db
def test_a_refusal_is_one_line_and_a_failure_says_where(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.handler.setFormatter(Redacting("%(message)s"))
    viewer = reader("viewer")
    assert viewer.get("/people").status_code == 403
    assert viewer.get("/sign-in", headers={"host": "evil.example"}).status_code == 400
    assert "Forbidden" in caplog.text
    assert "Traceback" not in caplog.text
    viewer.raise_request_exception = False
    with mock.patch.object(connection, "cursor", side_effect=RuntimeError("broken")):
        assert viewer.get("/").status_code == 500
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Not Found: /invitations/abc-DEF_1", "Not Found: /invitations/…"),
        ("GET /people/invitations/7/again", "GET /people/invitations/7/again"),
        ("Forbidden: /password/new/1-abc-def?x=1", "Forbidden: /password/new/…?x=1"),
        (f"key fk_abcdefgh_{'x' * 40}.", "key fk_abcdefgh_…."),
        (f"key ft_01234567_{'-' * 40} ", "key ft_01234567_… "),
        ("amqp://me:secret@host/x and", "amqp://me:…@host/x and"),
        ("http://host:80/a@b", "http://host:80/a@b"),
    ],
)
def test_what_opens_something_is_told_by_its_form(written: str, kept: str) -> None:
    assert redacted(written) == kept
