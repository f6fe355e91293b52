"""Lines of a CSV file that people upload: read strictly, each with its number, blank cells left
out, in the encodings that spreadsheets save."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

MOST_LINES = 200_000
# What a person mends at once; the rest is only counted.
MOST_PROBLEMS = 100
ENCODINGS = ("utf-8-sig", "utf-16")


class NotReadable(ValueError):
    """The file as a whole is none of what is asked for; says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts from 1, the header; `field` is a column."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}, {self.field}: {self.message}"


def rows(
    file: BinaryIO, refuse_header: Callable[[Sequence[str]], None]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The number of each line and what it says by column, blank cells left out; a line with more
    cells than the header says {"": "more"}. `refuse_header` raises NotReadable, as this does."""
    text = io.TextIOWrapper(file, encoding=encoding_of(file), newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        refuse_header(header)
        if twice := [name for name in header if header.count(name) > 1]:
            raise NotReadable(f"Its first line names {twice[0][:80] or 'an empty column'!r} twice.")
        for count, cells in enumerate(reader, start=1):
            if count > MOST_LINES:
                raise NotReadable(f"It has more than {MOST_LINES:,} lines.")
            if any(cell.strip() for cell in cells):
                if len(cells) > len(header):
                    yield reader.line_num, {"": "more"}
                    continue
                pairs = zip(header, map(plain, cells), strict=False)
                yield reader.line_num, {name: cell for name, cell in pairs if cell}
    except UnicodeError as error:
        raise NotReadable("It is not text in UTF-8. Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise NotReadable(f"Line {reader.line_num} is no CSV: {error}.") from error
    finally:
        with suppress(ValueError):
            text.detach()


def encoding_of(file: BinaryIO) -> str:
    begin = file.read(2)
    file.seek(0)
    return ENCODINGS[begin in {b"\xff\xfe", b"\xfe\xff"}]


def plain(cell: str) -> str:
    """What stands in the cell; an apostrophe before it only makes it text."""
    return cell[1:] if cell.startswith("'") else cell.strip()
