"""Names of end users as they are stored: in the clear, or as keyed hashes.

A hash is equal for equal names, and of no use to whoever has not the key. Turning hashes on takes
three steps, so that nobody becomes two users however many processes take events meanwhile:

off          names are stored as they are sent
announced    still so, until every process knows: from here on a name may stand as either
converting   new names are hashed; what is stored in the clear is renamed in portions
on           only hashes are looked for
"""

from __future__ import annotations

import hmac
import re
from typing import NamedTuple

from ingest.cardinality import OVERFLOW

WRONG_KEY = (
    "Names of users are hashed with another key than this process has, if any. Set "
    "FARTHING_USER_HASH_KEY, or the file user_hash_key in the data directory, as where that was "
    "turned on."
)
HASHED = re.compile(r"u_[0-9a-f]{24}")
_CHECKED = b"farthing: which key hashes the names of users"


def hashed(key: str, name: str) -> str:
    """What stands for a user's name: u_ and 24 hexadecimal digits of HMAC-SHA256."""
    return f"u_{hmac.digest(key.encode(), name.encode(), 'sha256').hex()[:24]}"


def check_of(key: str) -> str:
    """Tells keys apart without giving one away; kept where names are hashed."""
    return hmac.digest(key.encode(), _CHECKED, "sha256").hex()


class Naming(NamedTuple):
    """How names are stored now, and the key that this process has; '' is none."""

    key: str = ""
    state: str = "off"
    key_check: str = ""

    @property
    def has_right_key(self) -> bool:
        return self.state == "off" or (self.key != "" and check_of(self.key) == self.key_check)

    @property
    def is_changing(self) -> bool:
        return self.state in {"announced", "converting"}

    def stored(self, name: str) -> str:
        """What a new user of this name is called."""
        if _stays(name) or self.state in {"off", "announced"}:
            return name
        return hashed(self.key, name)

    def forms(self, name: str) -> tuple[str, ...]:
        """What a user of this name may be called; where several are there, the first counts."""
        if _stays(name) or self.state == "off":
            return (name,)
        form = hashed(self.key, name)
        return (form, name) if self.is_changing else (form,)

    def names(self, name: str) -> tuple[str, ...]:
        """Everything that may be written for the user, first what is stored."""
        return tuple(dict.fromkeys((self.stored(name), *self.forms(name), name)))


def _stays(name: str) -> bool:
    """Whether the name is nobody's; or a hash already, which a service may have from our pages."""
    return name in {"", OVERFLOW} or HASHED.fullmatch(name) is not None
