"""The steps of erasures, each short enough to leave the worker to others in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Identifier

from finops.erasures import attributions, days, mentions, names
from finops.erasures.asking import SETTLED
from finops.erasures.certificates import digest
from finops.locks import Lock, alone
from finops.models import Erasure, RatingRun
from finops.ownership import mapping
from finops.rollups import one
from finops.sql import statement
from ingest.user_names import HASHED


def proceed(now: datetime, has_time: Callable[[], bool] = lambda: True) -> list[Erasure]:
    """Do what waits, a step at a time while there is time; returns those that are finished now."""
    finished = []
    with connection.cursor() as cursor, alone(Lock.ERASURES) as is_alone:
        if not is_alone:
            return []
        waiting = Erasure.objects.filter(finished_at=None, asked_at__lte=now - SETTLED)
        for erasure in waiting.order_by("id"):
            if not erasure.began_at and not _begin(cursor, erasure, now):
                continue
            while erasure.done < len(erasure.steps) and has_time():
                if not _step(cursor, erasure, erasure.steps[erasure.done]):
                    break
            if erasure.done < len(erasure.steps):
                break
            _finish(cursor, erasure, now)
            finished.append(erasure)
    return finished


def _begin(cursor: CursorWrapper, erasure: Erasure, now: datetime) -> bool:
    """Whether what ingest took under the old name is all committed and folded; then the steps are
    known."""
    settled_at = erasure.asked_at + SETTLED
    cursor.execute(
        statement("taken_before"), {"commit": erasure.asked_at + SETTLED / 2, "fold": settled_at}
    )
    if one(cursor)[0]:
        return False
    of_user = {"user_id": erasure.user_id}
    erasure.steps = [*mentions.tables(cursor), *sorted(map(str, days.until(now)))]
    erasure.sums_before = {
        "rollups": days.sums(cursor, "sums_of_user_rollups", of_user),
        "events": dict.fromkeys(SUMS, "0"),
    }
    erasure.sums_after = {"events": dict.fromkeys(SUMS, "0")}
    erasure.began_at = now
    if HASHED.fullmatch(erasure.name):
        erasure.notes.append(
            "The user was asked for by the hash of the name: the name in the clear is not known "
            "and was not searched for."
        )
    erasure.save()
    return True


SUMS = ("requests", "input_tokens", "output_tokens", "effective_cost", "list_cost")


def _step(cursor: CursorWrapper, erasure: Erasure, step: str) -> bool:
    """Whether it could be done now. What a step counts is saved with it, so one that was
    interrupted is done anew."""
    found = names.read(cursor, erasure)
    if step == "attribution":
        attributions.search(cursor, found)
    elif step[0].isdigit():
        if not days.search(cursor, found, date.fromisoformat(step)):
            return False
    else:
        mentions.search(cursor, found, step)
    erasure.done += 1
    erasure.save()
    return True


def _finish(cursor: CursorWrapper, erasure: Erasure, now: datetime) -> None:
    of_user: dict[str, Any] = {"user_id": erasure.user_id}
    erasure.sums_after["rollups"] = days.sums(cursor, "sums_of_user_rollups", of_user)
    erasure.notes += _notes(names.read(cursor, erasure))
    for table in erasure.changed:
        if table != "usage_event":
            # What the planner remembers of values that are no more.
            cursor.execute(SQL("ANALYZE {}").format(Identifier(table)))
    if {"attribution", "ownership_rule"} & erasure.changed.keys():
        # What rules come to is looked up anew, as both are named otherwise now.
        with mapping.changing():
            mapping.forget_all()
            mapping.look_up()
    erasure.finished_at = now
    erasure.digest = digest(erasure)
    erasure.name = erasure.hashed_name = ""
    erasure.save()


def _notes(found: names.Names) -> Iterator[str]:
    erasure = found.erasure
    if found.others:
        yield "Events of the same name have come since; they are a new user's and were left."
    if found.is_account:
        yield "Somebody who signs in has the same name: where they are the author it was left."
    if found.is_priced:
        yield "A model or provider has the same name: it was left where it is that."
    runs = RatingRun.objects.filter(
        finished_at__gte=erasure.began_at, events_changed__gt=0
    ).values_list("pk", flat=True)
    if runs:
        told = ", ".join(map(str, runs))
        yield f"Events were rated again meanwhile (run {told}); roll-up sums may differ by that."
