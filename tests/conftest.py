"""What all tests share: a PostgreSQL of their own, a moment, people.

With DATABASE_URL unset the session runs the embedded PostgreSQL in a temporary directory, started
by the first test that needs a database, or for all workers where there are several.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from urllib.parse import urlencode

import parallel
import pytest
from browser import browser as browser
from browser import month_of_usage as month_of_usage
from browser import no_facts_left as no_facts_left
from browser import visit as visit
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import settings as hypothesis_settings
from ingest_server import database as database
from ingest_server import door as door
from ingest_server import elsewhere as elsewhere
from ingest_server import ingest_app as ingest_app
from ingest_server import ingest_server as ingest_server
from parallel import pytest_collection_modifyitems as pytest_collection_modifyitems
from parallel import pytest_unconfigure as pytest_unconfigure
from parallel import pytest_xdist_setupnodes as pytest_xdist_setupnodes

from bench import pages, system
from tests.fact_tables import forget_models

hypothesis_settings.register_profile("farthing", deadline=None)
hypothesis_settings.register_profile("ci", deadline=None, print_blob=True)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "farthing")

# Nothing a test queues may wait in the developer's own data directory.
settings.CELERY_BROKER_URL, settings.CELERY_BROKER_TRANSPORT = "memory://", None
settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
# Nor do tests see the files that a server of the developer's has collected there. A file is looked
# for when it is asked for: each new client would look for all of them.
settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = None, True
settings.WHITENOISE_AUTOREFRESH = True
settings.STORAGES = {
    **settings.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Slow hashing protects real passwords; here it would only take most of the tests' time.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_finish() -> None:
    """What was collected stays to the end. Each ingest process that starts, or has read a large
    body, looks for garbage: through all of that, it would take most of a second."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    if not settings.EMBEDDED_POSTGRES:
        yield
        return
    with ExitStack() as ending:
        shared = os.environ.get(parallel.SHARED_SERVER)
        sockets = shared or str(ending.enter_context(parallel.running_postgres()))
        for configuration in (settings.DATABASES["default"], connection.settings_dict):
            configuration["HOST"] = sockets
        yield


@pytest.fixture(scope="session")
def farthing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[system.System]:
    """A whole installation of its own, as `manage.py up` runs it, with an administrator.

    Tests share it: each writes with a key of a service of its own and looks at nothing else.
    """
    with system.running(tmp_path_factory.mktemp("farthing") / "server.log") as installation:
        pages.create_administrator(installation)
        yield installation


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """That a budget is checked at once is no matter of how busy the machine of the tests is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finops.budgets.checking.SECONDS", 60.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def forgetting() -> Iterator[None]:
    """After a transactional test only those tables are emptied that hold something."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda test: forget_models())
        yield


@pytest.fixture
def database_url(db: None) -> str:
    """The test database, for a program that a test starts; use with a transactional database."""
    at = connection.get_connection_params()
    where = {key: at[key] for key in ("user", "password", "host", "port") if at.get(key)}
    return f"postgresql:///{at['dbname']}?{urlencode(where)}"


@pytest.fixture
def now() -> datetime:
    """The moment at which tests of periods and queries take place: a Thursday noon."""
    return datetime(2026, 10, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("ada", "ada@example.org", "correct horse battery")


@pytest.fixture
def signed_in(client: Client, administrator: User) -> Client:
    """A browser in which the administrator has signed in."""
    client.force_login(administrator)
    return client
