"""Whether names of end users are stored as keyed hashes, and their conversion in the background.

ingest/user_names.py says what the states mean and why there are so many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from finops import audit
from finops.access import Reader
from finops.models import NameHashing
from finops.rollups import one
from finops.sql import statement
from ingest.attribution import USERS_LOCK
from ingest.user_names import WRONG_KEY, Naming, check_of, hashed

State = NameHashing.State
# Ingest reloads every 1.5 s.
SETTLED = timedelta(seconds=10)
PORTION = 2_000


class WrongKey(RuntimeError):
    """Hashes of another key would make one person two users."""

    def __init__(self) -> None:
        super().__init__(WRONG_KEY)


def current() -> NameHashing | None:
    """None where hashes were never turned on."""
    return NameHashing.objects.first()


def refuse_wrong_key() -> None:
    """Raises WrongKey where names are hashed with another."""
    held = current()
    if held and not Naming(settings.USER_HASH_KEY, held.state, held.key_check).has_right_key:
        raise WrongKey


def turn_on(by: Reader | str, now: datetime, address: str = "") -> bool:
    """Whether it was off. convert() does the rest. Raises WrongKey."""
    with transaction.atomic():
        held = NameHashing.objects.select_for_update().first()
        check = check_of(settings.USER_HASH_KEY)
        if held and held.state != State.OFF:
            return False
        is_other = held is not None and held.key_check != check
        if not settings.USER_HASH_KEY or (is_other and _hashed_users()):
            raise WrongKey
        _store(State.ANNOUNCED, check, now)
        _log(by, now, address, is_on=True)
    return True


def turn_off(by: Reader | str, now: datetime, address: str = "") -> bool:
    """Whether it was on. Names that are hashed stay so."""
    with transaction.atomic():
        held = NameHashing.objects.select_for_update().first()
        if held is None or held.state == State.OFF:
            return False
        _store(State.OFF, held.key_check, now)
        _log(by, now, address, is_on=False)
    return True


def convert(now: datetime, has_time: Callable[[], bool] = lambda: True) -> int:
    """Hash names that are stored in the clear, a portion per transaction while there is time;
    returns how many. Raises WrongKey."""
    converted = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            held = NameHashing.objects.select_for_update(skip_locked=True).first()
            if held is None or held.state in {State.OFF, State.ON}:
                return converted
            refuse_wrong_key()
            if held.state == State.ANNOUNCED:
                if now < held.changed_at + SETTLED:
                    return converted
                held.state, held.converting_since = State.CONVERTING, now
                held.save()
            count = _convert_portion(cursor, held)
            if not count:
                _finish(cursor, held, now)
        converted += count
        if not count or not has_time():
            return converted


def _convert_portion(cursor: CursorWrapper, held: NameHashing) -> int:
    """How many names were hashed."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [USERS_LOCK])
    cursor.execute(statement("users_in_the_clear"), {"after": held.converted_to, "size": PORTION})
    users = cursor.fetchall()
    if not users:
        return 0
    key = settings.USER_HASH_KEY
    hashes = {number: hashed(key, name) for number, name in users}
    cursor.execute("SELECT name FROM end_user WHERE name = ANY(%s)", [list(hashes.values())])
    taken = {name for (name,) in cursor.fetchall()}
    for number, name in users:
        if hashes[number] in taken:
            # Who came in the clear while hashes were off, after having been hashed, is two users
            # already, and their figures stay apart.
            hashes[number] = hashed(key, f"{name}\0{number}")
    changed = {
        "ids": [number for number, _ in users],
        "names": [name for _, name in users],
        "hashes": [hashes[number] for number, _ in users],
    }
    cursor.execute(statement("hash_users"), changed)
    cursor.execute(statement("hash_budget_values"), changed)
    cursor.execute(statement("hash_anomaly_series"), changed)
    cursor.execute(statement("hash_planned_events"), changed)
    _rename_in_rules(cursor, {name: hashes[number] for number, name in users})
    held.converted_to = users[-1][0]
    held.save()
    return len(users)


def _finish(cursor: CursorWrapper, held: NameHashing, now: datetime) -> None:
    """Once every process knows, nobody stores a name in the clear any more."""
    assert held.converting_since
    if now < held.converting_since + SETTLED:
        return
    held.state = State.ON
    held.save()
    # Users whom rules name and who have not come yet.
    cursor.execute(statement("rule_users_in_the_clear"))
    clear = [name for (name,) in cursor.fetchall()]
    _rename_in_rules(cursor, {name: hashed(settings.USER_HASH_KEY, name) for name in clear})
    cursor.execute("ANALYZE end_user")  # the planner remembers some of the names


def _rename_in_rules(cursor: CursorWrapper, names: Mapping[str, str]) -> None:
    given = {"names": list(names), "labels": list(names.values())}
    cursor.execute(statement("rename_rule_users"), given)


def _hashed_users() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM end_user WHERE name ~ '^u_[0-9a-f]{24}$')")
        return bool(one(cursor)[0])


def _store(state: State, key_check: str, now: datetime) -> None:
    given = {"state": state, "key_check": key_check, "changed_at": now}
    NameHashing.objects.update_or_create(
        id=1, defaults={**given, "converting_since": None, "converted_to": 0}
    )


def _log(by: Reader | str, now: datetime, address: str, *, is_on: bool) -> None:
    before, after = {"hash_user_names": not is_on}, {"hash_user_names": is_on}
    audit.record(
        "settings.change", "privacy", at=now, by=by, before=before, after=after, address=address
    )
