"""Numbers and dates as people read them: a short form for tiles and axes, a long one for tables.

Amounts come in exact and are rounded once, here. A value that is not known is `MISSING`, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

Number = Decimal | int | float

MISSING = "–"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}
SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))


def symbol(currency: str) -> str:
    """What stands before an amount; nothing for "", where the header of a column says it."""
    return SYMBOLS.get(currency, currency + SPACE) if currency else ""


def _signed(text: str, negative: bool) -> str:
    return MINUS + text if negative else text


def _scaled(amount: Number) -> str:
    """12.3k, 4.1M, 123k: one decimal below a hundred of the unit."""
    for scale, unit in SCALES:
        # 999,950 rounds to 1.0M, not to 1,000k, so the unit is chosen after the rounding.
        if amount >= scale * Decimal("0.9995"):
            scaled = Decimal(amount) / scale
            return f"{scaled:.1f}{unit}" if scaled < Decimal("99.95") else f"{scaled:.0f}{unit}"
    return f"{amount:,.0f}"


def _significant(amount: Decimal, digits: int) -> str:
    """An amount below 1 in so many significant digits, at least two decimals, no exponent."""
    decimals = max(2, digits - 1 - amount.adjusted())
    text = f"{amount:.{decimals}f}"
    while text.endswith("0") and len(text.partition(".")[2]) > 2:
        text = text[:-1]
    return text


def money_short(amount: Decimal | None, currency: str) -> str:
    """$12.3k, $1,234, $12.34, $0.0042."""
    if amount is None:
        return MISSING
    size, sign = abs(amount), symbol(currency)
    if size == 0:
        text = f"{sign}0"
    elif size < Decimal("0.0001"):
        text = f"<{sign}0.0001"
    elif size < 1:
        text = sign + _significant(size, 2)
    elif size < 1000:
        text = f"{sign}{size:.2f}"
    elif size < 10_000:
        text = f"{sign}{size:,.0f}"
    else:
        text = sign + _scaled(size)
    return _signed(text, amount < 0)


def money_long(amount: Decimal | None, currency: str) -> str:
    """$12,345.67; four significant digits below $1."""
    if amount is None:
        return MISSING
    size, sign = abs(amount), symbol(currency)
    text = f"{size:,.2f}" if size >= 1 or size == 0 else _significant(size, 4)
    return _signed(sign + text, amount < 0)


def money_exact(amount: Decimal | None, currency: str) -> str:
    """Every digit that is not a trailing zero, at least two decimals."""
    if amount is None:
        return MISSING
    whole, _, fraction = f"{abs(amount):,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(2, "0")
    return _signed(f"{symbol(currency)}{whole}.{fraction}", amount < 0)


def money_fixed(amount: Decimal | None, decimals: int) -> str:
    """Without a symbol and with so many decimals, for columns of amounts of one size."""
    if amount is None:
        return MISSING
    unit = Decimal(1).scaleb(-decimals)
    return _cell(amount, Decimal(f"{amount:.{decimals}f}"), unit)


def money_column(
    amounts: Sequence[Decimal | None],
    total: Decimal | None,
    rest: int | None = None,
    adds_up: bool = True,
) -> tuple[list[str], str]:
    """One table column without symbols, all cells with the same decimals, adding up to the total.

    `rest` is the index of the row (Other) that takes the rounding; without one it goes to the
    rows that rounding moved most, so that every cell stays within one unit of its last digit.
    Columns of ratios do not add up. Returns the cells and the total's cell.
    """
    total = total or Decimal(0)
    decimals = 2 if abs(total) >= 1 or total == 0 else min(12, 3 - total.adjusted())
    unit = Decimal(1).scaleb(-decimals)
    rounded = [None if a is None else Decimal(f"{a:.{decimals}f}") for a in amounts]
    rounded_total = Decimal(f"{total:.{decimals}f}")
    short_by = rounded_total - sum((r for r in rounded if r is not None), Decimal(0))
    if not adds_up:
        short_by = Decimal(0)
    for taker in _takers(amounts, rounded, int(short_by / unit), rest):
        rounded[taker] = (rounded[taker] or Decimal(0)) + unit.copy_sign(short_by)
    cells = [_cell(a, r, unit) for a, r in zip(amounts, rounded, strict=True)]
    return cells, _cell(total, rounded_total, unit)


def _takers(
    amounts: Sequence[Decimal | None], rounded: list[Decimal | None], units: int, rest: int | None
) -> list[int]:
    """Which rows take one unit of rounding each; a row is named as often as it takes one."""
    if rest is not None and rounded[rest] is not None:
        return [rest] * abs(units)
    errors = [
        (a - r, i)
        for i, (a, r) in enumerate(zip(amounts, rounded, strict=True))
        if a is not None and r is not None
    ]
    errors.sort(key=lambda error: error[0], reverse=units > 0)
    # Rows that are the whole of the total never need more than one unit each.
    return [i for _, i in errors][: abs(units)]


def _cell(amount: Decimal | None, rounded: Decimal | None, unit: Decimal) -> str:
    if amount is None or rounded is None:
        return MISSING
    if rounded == 0 and amount != 0:
        return f"<{unit:f}"
    return _signed(f"{abs(rounded):,f}", rounded < 0)


def unit_price_short(price: Decimal | None, per: str, currency: str) -> str:
    """$2.50 / 1M tokens; anything that is not a token is priced by the piece."""
    if price is None:
        return MISSING
    if per != "token":
        return f"{money_exact(price, currency)} / {per}"
    return f"{money_exact(price * 1_000_000, currency)} / 1M tokens"


def unit_price_long(price: Decimal | None, per: str, currency: str) -> str:
    """$0.0000025 per token."""
    return MISSING if price is None else f"{money_exact(price, currency)} per {per}"


def count_short(number: Number | None) -> str:
    """1.2B, 12.3k, 9,841."""
    if number is None:
        return MISSING
    size = number if number >= 0 else -number
    return _signed(f"{size:,.0f}" if size < 9_999.5 else _scaled(size), number < 0)


def count_long(number: Number | None) -> str:
    """1,234,567,890."""
    return MISSING if number is None else _signed(f"{abs(number):,.0f}", number < 0)


def share_short(part: Number | None, whole: Number | None) -> str:
    return _share(part, whole, 1)


def share_long(part: Number | None, whole: Number | None) -> str:
    return _share(part, whole, 2)


def _share(part: Number | None, whole: Number | None, decimals: int) -> str:
    """12.4 %; neither a trace nor an almost-all is rounded away."""
    if part is None or not whole:
        return MISSING
    percent = Decimal(part) * 100 / Decimal(whole)
    unit = Decimal(1).scaleb(-decimals)
    if 0 < percent < unit:
        return f"<{unit}{SPACE}%"
    if 100 - unit < percent < 100:
        return f">{100 - unit}{SPACE}%"
    if percent in (0, 100):
        return f"{percent:.0f}{SPACE}%"
    return _signed(f"{abs(percent):,.{decimals}f}{SPACE}%", percent < 0)


def share_reached(part: Decimal, whole: Decimal) -> str:
    """114.5: percent to a tenth, never rounded up to what is not reached."""
    return f"{Decimal(int(part * 1000 / whole)) / 10:,f}"


def change_short(now: Number | None, before: Number | None) -> str:
    """+12.4 %, −3.0 %; "new" from zero, because no percentage of nothing means anything."""
    if now is None or before is None:
        return MISSING
    if now == before:
        return "no change"
    if before == 0:
        return "new"
    percent = (Decimal(now) - Decimal(before)) * 100 / abs(Decimal(before))
    digits = f"{abs(percent):,.1f}" if abs(percent) < 1000 else f"{abs(percent):,.0f}"
    return f"{'+' if percent > 0 else MINUS}{digits}{SPACE}%"


def duration(milliseconds: Number | None) -> str:
    """842 ms, 1.84 s, 2 min 5 s, 1 h 48 min."""
    if milliseconds is None:
        return MISSING
    if milliseconds < 10:
        return f"{milliseconds:.1f}{SPACE}ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f}{SPACE}ms"
    seconds = float(milliseconds) / 1000
    if seconds < 60:
        return f"{seconds:.2f}{SPACE}s" if seconds < 9.995 else f"{seconds:.1f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{SPACE}min {rest}{SPACE}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}{SPACE}h {minutes}{SPACE}min"


def span_of(seconds: float) -> str:
    """A time to wait for, in the largest unit that tells: 45 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def value_short(kind: str, value: Number | None, currency: str) -> str:
    """A metric's value, by its kind: money, count or milliseconds."""
    if kind == "money":
        return money_short(None if value is None else Decimal(value), currency)
    return duration(value) if kind == "milliseconds" else count_short(value)


def value_long(kind: str, value: Number | None, currency: str) -> str:
    if kind == "money":
        return money_long(None if value is None else Decimal(value), currency)
    return duration(value) if kind == "milliseconds" else count_long(value)


def day(value: date, today: date) -> str:
    """14 Jun; with the year when it is not today's."""
    text = f"{value.day}{SPACE}{value:%b}"
    return text if value.year == today.year else f"{text}{SPACE}{value.year}"


def day_range(first: date, last: date, today: date) -> str:
    """Both ends included: 14 Jun, 1–30 Jun, 28 May – 3 Jun."""
    if first == last:
        return day(first, today)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last, today)}"
    if first.year == last.year:
        return f"{first.day}{SPACE}{first:%b} – {day(last, today)}"
    return f"{day(first, date.min)} – {day(last, date.min)}"


def moment(value: datetime, zone: ZoneInfo, today: date, seconds: bool = False) -> str:
    """14 Jun, 14:05 UTC."""
    local = value.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{day(local.date(), today)}, {clock}{SPACE}{local:%Z}"


def last_day(end: datetime, zone: ZoneInfo, today: date) -> str:
    """14 Jun: the last day before what ends with a day; 14 Jun, 14:05 UTC of what does not."""
    last = (end - timedelta(microseconds=1)).astimezone(zone).date()
    return moment(end, zone, today) if last == end.astimezone(zone).date() else day(last, today)


def ratio_short(ratio: Decimal) -> str:
    """How many times as much, to three digits: "× 10", "× 0.001"."""
    return f"× {Decimal(f'{ratio:.3g}').normalize():f}"
