"""The database of settings in libpq's words, for connections that are not Django's."""

from __future__ import annotations

from django.db import connection
from psycopg.conninfo import make_conninfo

_NAMES = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")


def conninfo() -> str:
    at = connection.get_connection_params()
    return make_conninfo(**{name: at[name] for name in _NAMES if at.get(name)})
