"""Operations in words, the same in commands and on pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from finops.formats import count_long, span_of
from finops.models import Operation

# A load whose command says nothing for so long has been interrupted.
SILENT = timedelta(minutes=1)


def progress(operation: Operation) -> str:
    """ "12 of 31 days, 38 %, 1.4 days/s, 14 s left": what is known of it."""
    if not operation.total and not operation.finished_at:
        return "not begun yet"
    size, unit = (1_000_000, "MB") if operation.unit == "bytes" else (1, operation.unit)
    done, total = (count_long(round(each / size)) for each in (operation.done, operation.total))
    parts = [f"{done} of {total} {unit}"]
    if operation.total:
        parts.append(f"{operation.share * 100:.0f} %")
    if speed := operation.per_second:
        parts.append(rate(speed / size, unit))
    if (left := operation.seconds_left) is not None:
        parts.append(f"{span_of(left)} left")
    return ", ".join(parts)


def done_of(operation: Operation) -> str:
    """ "2 of 4 days were done": what is so of a period that was left in the middle."""
    if operation.unit == "bytes":
        return f"{operation.share * 100:.0f} % were done"
    return f"{operation.done:,} of {operation.total:,} {operation.unit} were done"


def left_in_the_middle(operation: Operation) -> str:
    """What is so of its period, where it is cancelled now."""
    after = {
        Operation.Kind.RERATE: "have the new prices, the rest of the period keeps the old ones",
        Operation.Kind.REBUILD: "stay rebuilt, the others stay as they are",
        Operation.Kind.RETENTION: "have lost their single events for good, the others go by night",
        Operation.Kind.LOAD: "stay loaded",
        Operation.Kind.REFOLD: "are folded",
    }[Operation.Kind(operation.kind)]
    return f"{done_of(operation)}: these {after}." if operation.done else "Nothing was done yet."


def rate(per_second: float, unit: str) -> str:
    if per_second >= 100:
        return f"{per_second:,.0f} {unit}/s"
    if per_second >= 0.1:
        return f"{per_second:,.1f} {unit}/s"
    return f"{per_second * 60:,.1f} {unit}/min"


def is_silent(operation: Operation, now: datetime) -> bool:
    """Whether a load stands still because its command is gone. All else goes on by itself."""
    since = operation.heartbeat_at or operation.created_at
    return (
        operation.kind == Operation.Kind.LOAD
        and operation.finished_at is None
        and operation.state != Operation.State.PAUSED
        and now - since > SILENT
    )


def beside_figures(working: Sequence[Operation]) -> str:
    """What a page or an answer says beside figures of days that are being worked on."""
    told = []
    for each in working:
        verb = {
            Operation.Kind.RERATE: "being rated again",
            Operation.Kind.REBUILD: "being rebuilt",
            Operation.Kind.REFOLD: "being folded anew",
        }[Operation.Kind(each.kind)]
        far = f"{count_long(each.done)} of {count_long(each.total)} {each.unit} done"
        paused = "; paused" if each.state == Operation.State.PAUSED else ""
        told.append(f"{each.what[:1].upper()}{each.what[1:]}: {verb}, {far}{paused}")
    return ". ".join(told)
