"""The process that owns the port: python -m finops.ingest_process

It takes events in at HOST and PORT of the environment and passes everything else on to the web
process. Django's settings are all that it has of Django: with its applications it would take 35 MB
more.
"""

from __future__ import annotations

import gc
import os
import sys
from logging.config import dictConfig
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")

import psycopg
import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from finops import rate_cards, reporting_currency
from finops.conninfo import conninfo
from ingest import app, memory
from ingest.configuration import naming_in_force
from ingest.protocol import BoundedConnection, Server
from ingest.user_names import WRONG_KEY


def main() -> None:
    """Serve until a signal ends it. SystemExit where it may not start, with the reason."""
    try:
        # Not as Django does it, whose own handlers send mails and bring 9 MB of pages.
        dictConfig(settings.LOGGING)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    dsn = conninfo()
    refuse_wrong_key(dsn)
    refuse_other_currency(dsn)
    tune_interpreter()
    application = app.create(
        dsn=dsn,
        rate_card_loader=rate_cards.Loader(dsn),
        web_socket=str(settings.RUNTIME_DIR / "web.sock"),
        retention_days=settings.EVENT_RETENTION_DAYS,
        user_hash_key=settings.USER_HASH_KEY,
    )
    where = {"host": settings.HOST, "port": settings.PORT}
    Server(configuration(application, **where), application.writer.give_up).run()


def refuse_wrong_key(dsn: str) -> None:
    """While the database is away nobody knows; the process looks again when it is there."""
    try:
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            naming = naming_in_force(connection, settings.USER_HASH_KEY)
    except psycopg.Error:
        return
    if not naming.has_right_key:
        sys.exit(WRONG_KEY)


def refuse_other_currency(dsn: str) -> None:
    try:
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            reporting_currency.refuse_other(connection)
    except psycopg.Error:
        return
    except reporting_currency.CurrencyChanged as problem:
        sys.exit(str(problem))


def tune_interpreter() -> None:
    """For memory, and for throughput; measured with 500-event bodies on 16 connections."""
    # Facts hold no cycles, and looking for some costs 5 µs an event at the default threshold.
    memory.tune()
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
    # Writers and event loop hand work to each other many times per commit; with the default of
    # 5 ms each hand-over can wait that long for the interpreter.
    sys.setswitchinterval(0.001)


def configuration(application: app.App, **where: Any) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        **where,
        loop="uvloop",
        http=BoundedConnection,  # type: ignore[arg-type]  # asyncio takes such protocols too
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
        log_config=None,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=15,
        backlog=2048,
    )


if __name__ == "__main__":
    main()
