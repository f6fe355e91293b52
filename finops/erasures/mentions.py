"""The name in any table: every column of words that the database has, whatever it is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from django.apps import apps
from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from finops.erasures.names import Names
from finops.rollups import one

Item = TypeVar("Item")
PORTION = 1_000
# What came while a pass ran is found by the next one.
PASSES = 3
# Of people who sign in, and of the framework: nothing that events brought.
_APART = ("account_", "auth_", "django_", "mfa_", "socialaccount_", "usersessions_")
# Neither searched nor changed: the erasure forgets the name itself, last of all; the others hold
# words of Farthing's own, or of people who sign in. Events are searched by day.
_NOT_SEARCHED = frozenset(
    {
        *("cache_entry", "channel_recipient", "erasure", "invitation", "name_hashing"),
        "reference_price",
        *("rollup_state", "usage_event"),
    }
)
# What was closed is never changed: what it holds is counted as what remains.
_CLOSED = frozenset({"statement_line", "statement_usage", "statement_version"})
# Columns of closed vocabularies, besides those whose model has choices.
_VOCABULARY: Mapping[str, frozenset[str]] = {
    "alert_delivery": frozenset({"message_id"}),
    "anomaly": frozenset({"told_severity"}),
    "api_token": frozenset({"prefix"}),
    "attribution": frozenset({"status", "cache", "service_tier"}),
    "audit_record": frozenset({"action"}),
    "bill_import": frozenset({"format", "sha256"}),
    "bill_line": frozenset(
        {"category", "currency", "grouping", "identity", "kind", "model", "provider", "source"}
    ),
    "budget": frozenset({"for_each"}),
    "business_metric": frozenset({"currency", "dimensions", "key"}),
    "channel": frozenset({"topics", "zone"}),
    "cost_item": frozenset({"currency"}),
    "cardinality_overflow": frozenset({"dimension"}),
    "ingest_batch": frozenset({"format", "rejected"}),
    "ingest_key": frozenset({"prefix"}),
    "operation": frozenset({"unit"}),
    "ownership_rule": frozenset({"dimensions"}),
    "price": frozenset({"cache", "currency", "model", "provider", "service_tier"}),
    "price_hold": frozenset({"fingerprint", "model", "provider"}),
    "rejected_example": frozenset({"field", "format", "reason"}),
    "rollup_user_span": frozenset({"span"}),
    "rollup_user_total": frozenset({"span"}),
    "setting": frozenset({"name"}),
    "statement_version": frozenset({"checksum", "currency"}),
}
# Who did something. Left alone where somebody who signs in has the name.
_AUTHORS = frozenset(
    {
        *("acknowledged_by", "actor", "asked_by", "author", "changed_by", "created_by"),
        *("decided_by", "made_by", "reopen_asked_by", "sent_by"),
        *("requested_by", "superseded_by"),
    }
)
_KINDS = {"text": "text", "character varying": "text", "character": "text", "jsonb": "jsonb"}


class Column(NamedTuple):
    """`kind` is text, jsonb or array; `longest` is None where any length fits."""

    name: str
    kind: str
    longest: int | None


def tables(cursor: CursorWrapper) -> list[str]:
    """Every table to search but that of events, by name."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition AND relname !~ '^usage_event_'"
        " ORDER BY relname"
    )
    names = [name for (name,) in cursor.fetchall()]
    return [
        name
        for name in names
        if name not in _NOT_SEARCHED and not name.startswith(_APART) and columns(cursor, name)
    ]


def columns(cursor: CursorWrapper, table: str) -> list[Column]:
    """The columns of words that a name may stand in."""
    cursor.execute(
        "SELECT column_name, CASE WHEN udt_name IN ('_text', '_varchar') THEN 'array'"
        " ELSE data_type END, character_maximum_length FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        [table],
    )
    known = {**_KINDS, "array": "array"}
    closed = _VOCABULARY.get(table, frozenset()) | _with_choices(table)
    return [
        Column(name, known[kind], longest)
        for name, kind, longest in cursor.fetchall()
        if kind in known and name not in closed
    ]


def _with_choices(table: str) -> set[str]:
    models = (each for each in apps.get_app_config("finops").get_models())
    return {
        str(field.column)
        for model in models
        if model._meta.db_table == table
        for field in model._meta.concrete_fields
        if field.choices
    }


def search(cursor: CursorWrapper, names: Names, table: str) -> None:
    """Replace the name where the table mentions it, if that is wanted; count what remains."""
    held = columns(cursor, table)
    if names.erasure.is_everywhere and table not in {"attribution", "end_user", *_CLOSED}:
        spared = _AUTHORS if names.is_account else frozenset()
        replaced = [column for column in held if column.name not in spared]
        for _ in range(PASSES):
            if not _replace(cursor, names, table, replaced):
                break
    _count(cursor, names, table, held)


def _replace(cursor: CursorWrapper, names: Names, table: str, held: Sequence[Column]) -> int:
    """One pass over the table; how many rows it changed."""
    if not held:
        return 0
    found = SQL(" OR ").join(_matches(column, names, names.as_word) for column in held)
    update = SQL("UPDATE {} SET {} WHERE ({}) AND ctid = ANY({}::tid[])")
    changes = SQL(", ").join(_change(column, names) for column in held)
    cursor.execute(SQL("SELECT ctid::text FROM {} WHERE {}").format(Identifier(table), found))
    rows = [row for (row,) in cursor.fetchall()]
    changed = 0
    for portion in portions(rows, PORTION):
        try:
            changed += _run(cursor, names, table, update, changes, found, portion)
        except DatabaseError:  # two rows that must differ would become equal
            for row in portion:
                try:
                    changed += _run(cursor, names, table, update, changes, found, [row])
                except DatabaseError:
                    continue  # it is counted as one that remains
    return changed


def _run(
    cursor: CursorWrapper,
    names: Names,
    table: str,
    update: SQL,
    changes: Composable,
    found: Composable,
    rows: list[str],
) -> int:
    with transaction.atomic():
        cursor.execute(update.format(Identifier(table), changes, found, Literal(rows)))
        add_changed(names, table, cursor.rowcount)
        return int(cursor.rowcount)


def add_changed(names: Names, table: str, rows: int) -> None:
    """In the transaction of the change, so that an interruption counts nothing twice."""
    if rows:
        changed = names.erasure.changed
        changed[table] = changed.get(table, 0) + rows
        names.erasure.save(update_fields=["changed"])


def _matches(column: Column, names: Names, pattern: str) -> Composed:
    identifier = Identifier(column.name)
    if column.kind == "text":
        return SQL("{} ~* {}").format(identifier, Literal(pattern))
    if column.kind == "array":
        return SQL("array_to_string({}, E'\\n') ~* {}").format(identifier, Literal(pattern))
    return SQL("({0}::text ~* {1} AND without_name({0}, {2}, '') <> {0})").format(
        identifier, Literal(names.anywhere_in_json), Literal(pattern)
    )


def _change(column: Column, names: Names) -> Composed:
    parts = {
        "column": Identifier(column.name),
        "pattern": Literal(names.as_word),
        "label": Literal(names.erasure.label),
        "longest": Literal(column.longest),
    }
    new = "without_name({column}, {pattern}, {label})"
    if column.longest is not None:
        new = f"left({new}, {{longest}})"
    if column.kind == "array":
        new = (
            "CASE WHEN {column} IS NOT NULL THEN ARRAY(SELECT without_name(item, {pattern},"
            " {label}) FROM unnest({column}) WITH ORDINALITY AS items (item, place)"
            " ORDER BY place) END"
        )
    return SQL("{column} = " + new).format(**parts)


def _count(cursor: CursorWrapper, names: Names, table: str, held: Sequence[Column]) -> None:
    counts = [
        SQL("count(*) FILTER (WHERE {})").format(_matches(column, names, pattern))
        for column in held
        for pattern in (names.as_word, names.anywhere)
    ]
    text = SQL("SELECT {} FROM {}").format(SQL(", ").join(counts), Identifier(table))
    if table == "end_user":
        text += SQL(" WHERE id <> ALL({}::integer[])").format(Literal(names.others))
    cursor.execute(text)
    found = iter(one(cursor))
    for column in held:
        note(names, f"{table}.{column.name}", next(found), next(found))


def note(names: Names, column: str, as_word: int, anywhere: int) -> None:
    """Add rows that still hold the name to what the certificate says of this column."""
    erasure = names.erasure
    if column not in erasure.searched:
        erasure.searched.append(column)
    for kept, rows in ((erasure.remaining, as_word), (erasure.within_words, anywhere - as_word)):
        if rows:
            kept[column] = kept.get(column, 0) + rows


def portions(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while portion := list(islice(rest, size)):
        yield portion
