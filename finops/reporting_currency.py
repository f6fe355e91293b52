"""The currency of every amount that is stored: FARTHING_CURRENCY of the first start.

It is kept beside the zone of the rollups. Another one later would call dollars euros, so whatever
would show or add amounts refuses to, and says what to do.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings


class CurrencyChanged(RuntimeError):
    """What is stored is in another currency than FARTHING_CURRENCY."""

    def __init__(self, held: str, wanted: str) -> None:
        super().__init__(
            f"The amounts of this installation are in {held}; FARTHING_CURRENCY={wanted} would "
            f"call them {wanted}. Set FARTHING_CURRENCY={held} and start again. For figures in "
            f"{wanted}, start an empty installation with FARTHING_CURRENCY={wanted} and load the "
            "usage that you still have the source of."
        )


def refuse_unless(held: str) -> None:
    """Raises CurrencyChanged."""
    if held != settings.CURRENCY:
        raise CurrencyChanged(held, settings.CURRENCY)


def refuse_other(connection: Any) -> None:
    """Asked before anything is started, by a connection of Django or of psycopg: a database without
    tables holds no amounts. Raises CurrencyChanged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.columns"
            " WHERE table_schema = current_schema()"
            " AND table_name = 'rollup_state' AND column_name = 'currency'"
        )
        if not cursor.fetchone()[0]:
            return
        cursor.execute("SELECT currency FROM rollup_state")
        if row := cursor.fetchone():
            refuse_unless(row[0])
