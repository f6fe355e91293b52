from __future__ import annotations

import signal
import sys
from typing import Any

import waitress
from django.conf import settings
from django.core.management.base import BaseCommand

from finops.privileges import private_directory
from finops.wsgi import application

THREADS = 6


class Command(BaseCommand):
    help = "Serves the pages and the query API to the ingest process, on the Unix socket web.sock."

    def handle(self, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
        private_directory(settings.RUNTIME_DIR)
        waitress.serve(
            application,
            unix_socket=str(settings.RUNTIME_DIR / "web.sock"),
            threads=THREADS,
            ident=None,
            # The ingest process says who asked and how.
            trusted_proxy="*",
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"},
            clear_untrusted_proxy_headers=True,
        )
