"""The database of settings in libpq's words, for connections that are not Django's."""

from __future__ import annotations

from django.conf import settings
from psycopg.conninfo import make_conninfo

_WORDS = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
# What is Django's own; every other parameter of DATABASE_URL is libpq's.
_DJANGO = {"isolation_level", "assume_role", "pool", "server_side_binding", "context"}
_DJANGO |= {"cursor_factory", "prepare_threshold", "client_encoding"}


def conninfo() -> str:
    """Without a look at Django's connection, whose backend takes 8 MB where nothing else does."""
    at = settings.DATABASES["default"]
    words = {word: at.get(name) for name, word in _WORDS.items()}
    words |= {name: value for name, value in at.get("OPTIONS", {}).items() if name not in _DJANGO}
    return make_conninfo(**{word: str(value) for word, value in words.items() if value})
