from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from typing import Any

import waitress
from django.conf import settings
from django.core.management.base import BaseCommand

from finops.privileges import private_directory
from finops.wsgi import application


class Command(BaseCommand):
    help = "Serves the pages and the query API, on the Unix socket web.sock unless told otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--listen", help="HOST:PORT to serve on instead")
        parser.add_argument("--threads", type=int, default=6)

    def handle(self, *, listen: str | None, threads: int, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
        if listen:
            where: dict[str, Any] = {"listen": listen}
        else:
            private_directory(settings.RUNTIME_DIR)
            where = {"unix_socket": str(settings.RUNTIME_DIR / "web.sock")}
        waitress.serve(
            application,
            **where,
            threads=threads,
            ident=None,
            # The ingest process, or the reverse proxy before us, says who asked and how.
            trusted_proxy="*" if listen is None else "127.0.0.1",
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"},
            clear_untrusted_proxy_headers=True,
        )
