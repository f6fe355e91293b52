"""How the name of an erasure is found: patterns of erasing_schema.sql, and what else bears it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from finops.models import Erasure, Price
from finops.rollups import one


@dataclass(frozen=True, slots=True)
class Names:
    """`others` are users who have come under the same name since. Somebody who signs in may have
    it (`is_account`), or a model or provider that prices are found by (`is_priced`)."""

    erasure: Erasure
    anywhere: str
    anywhere_in_json: str
    as_word: str
    others: list[int]
    is_account: bool
    is_priced: bool

    def parameters(self) -> dict[str, Any]:
        """For statements in finops/sql."""
        return {
            "user_id": self.erasure.user_id,
            "label": self.erasure.label,
            "others": self.others,
            "anywhere": self.anywhere,
            "anywhere_in_json": self.anywhere_in_json,
            "as_word": self.as_word,
            "is_priced": self.is_priced,
        }


def read(cursor: CursorWrapper, erasure: Erasure) -> Names:
    given = [erasure.name, erasure.hashed_name]
    cursor.execute(
        "SELECT name_pattern(%s), name_pattern_in_json(%s), name_as_word_pattern(%s)",
        [given, given, given],
    )
    anywhere, anywhere_in_json, as_word = one(cursor)
    cursor.execute(
        "SELECT id FROM end_user WHERE name = ANY(%s)", [[name for name in given if name]]
    )
    return Names(
        erasure=erasure,
        anywhere=anywhere,
        anywhere_in_json=anywhere_in_json,
        as_word=as_word,
        others=[number for (number,) in cursor.fetchall()],
        is_account=User.objects.filter(
            Q(username__iexact=erasure.name) | Q(email__iexact=erasure.name)
        ).exists(),
        is_priced=Price.objects.filter(
            Q(model__iexact=erasure.name) | Q(provider__iexact=erasure.name)
        ).exists(),
    )
