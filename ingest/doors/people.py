"""Names by which metadata and tags speak of a person.

Names of users are kept in one place, where they may be hashed and erased. So what means the user
is the event's user and never a tag, and what else is personal is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

# Without case and separators. Where several are there the first of these is the user.
_USERS = (
    *(
        "userid",
        "enduserid",
        "enduser",
        "user",
        "langfuseuserid",
        "langfuseuser",
        "langsmithuserid",
    ),
    *("uid", "useruuid", "userkey", "userguid", "requesteruserid", "externaluserid"),
    *(
        "username",
        "userlogin",
        "login",
        "endusername",
        "useremail",
        "enduseremail",
        "email",
        "mail",
    ),
)
_PERSONAL = frozenset(
    {
        *("fullname", "firstname", "lastname", "displayname", "userfullname", "userdisplayname"),
        *("phone", "phonenumber", "userphone", "mobile", "birthday", "dateofbirth"),
        *("ip", "ipaddress", "clientip", "userip", "useripaddress", "remoteaddr", "remoteaddress"),
    }
)
_RANKS = {name: rank for rank, name in enumerate(_USERS)}
_LONGEST = 64


@lru_cache(4096)
def rank_of_user(name: str) -> int | None:
    """How surely a name says who the user is, 0 being the surest; None where it does not."""
    return _RANKS.get(_plain(name))


@lru_cache(4096)
def is_personal(name: str) -> bool:
    """Whether the value of this name speaks of a person, and so is no tag."""
    plain = _plain(name)
    return plain in _RANKS or plain in _PERSONAL or "email" in plain


def user_in(pairs: Iterable[tuple[str, Any]]) -> Any:
    """The value of the surest name; None where no name means the user."""
    found = [
        (rank, value)
        for name, value in pairs
        if (rank := rank_of_user(name)) is not None and value not in (None, "")
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def _plain(name: str) -> str:
    return "".join(letter for letter in name[:_LONGEST].lower() if letter.isalnum())
