"""Readers of every kind, and how the table of addresses says what each may do."""

from __future__ import annotations

from typing import NamedTuple

READERS = {
    "A": "administrator",
    "F": "finance",
    "E": "engineer of the team",
    "O": "engineer of another team",
    "V": "viewer of another team",
    "N": "nobody",
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

ALL = "AFEOVN"
SIGNED_IN = "AFEOV"
DESKS = "AFEO"  # ingest, prices, tokens
KEYS = "AEO"
MONEY = "AF"
ADMIN = "A"
NONE = ""

PAGE = "GET"
READING = "GET HEAD"
API = "GET HEAD OPTIONS"
FORM = "GET POST"
ACT = "POST"
ANY = "GET HEAD POST PUT PATCH DELETE OPTIONS"
SIGNING_IN = "GET HEAD POST PUT OPTIONS"  # django-allauth's forms, which take PUT for POST


class Row(NamedTuple):
    """One address. `path` is one of the secret team's own where it names anything.

    Whoever is in `read` may GET, HEAD and OPTIONS; whoever is in `write` the rest. Of them, who is
    in `hidden` is answered 404, as if nothing were there. `shows` find the team on it with GET.
    """

    path: str
    read: str
    methods: str
    write: str | None = None
    hidden: str = NONE
    shows: str = NONE
    away: str = NONE  # are led elsewhere, whatever they do
    got: int = 200  # besides what a form is answered with

    def may(self, who: str, method: str) -> bool:
        return who in (self.read if method in SAFE or self.write is None else self.write)


WHERE = "period=7d"
