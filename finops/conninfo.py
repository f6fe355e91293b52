"""The database of settings in libpq's words, for connections that are not Django's."""

from __future__ import annotations

from django.db import connection
from psycopg.conninfo import make_conninfo

# What Django adds for itself; every other parameter of DATABASE_URL is libpq's.
_DJANGO = {"cursor_factory", "context", "prepare_threshold", "client_encoding"}


def conninfo() -> str:
    at = connection.get_connection_params()
    return make_conninfo(
        **{name: value for name, value in at.items() if value and name not in _DJANGO}
    )
