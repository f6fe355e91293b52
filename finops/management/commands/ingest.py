"""manage.py ingest: the process that owns the port."""

from __future__ import annotations

import gc
import sys
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from finops import name_hashing, rate_cards
from finops.conninfo import conninfo
from ingest import app, memory
from ingest.protocol import BoundedHttpProtocol, Server


class Command(BaseCommand):
    help = (
        "Takes events in at HOST and PORT of the environment and passes everything else on to the "
        "web process."
    )

    def handle(self, **options: Any) -> None:
        refuse_wrong_key()
        connection.close()  # the application has its own
        tune_interpreter()
        application = app.create(
            dsn=conninfo(),
            rate_card_loader=rate_cards.load,
            web_socket=str(settings.RUNTIME_DIR / "web.sock"),
            retention_days=settings.EVENT_RETENTION_DAYS,
            user_hash_key=settings.USER_HASH_KEY,
        )
        where = {"host": settings.HOST, "port": settings.PORT}
        Server(configuration(application, **where), application.writer.give_up).run()


def refuse_wrong_key() -> None:
    """While the database is away nobody knows; the process looks again when it is there."""
    try:
        name_hashing.refuse_wrong_key()
    except name_hashing.WrongKey as error:
        raise CommandError(str(error)) from None
    except DatabaseError:
        return


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
        http=BoundedHttpProtocol,
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
