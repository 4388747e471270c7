"""Some columns of a file's rows: as a format's reader gives them, and quicker for JSON.

Python's own parser takes a line apart at once; whatever it gives that is neither a text, an
integer, a boolean nor null is read again by the exact one, and so is what it cannot read: documents
that are too deep for it, or have numbers of thousands of digits.
"""

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

from purge.archive.formats import FORMATS
from purge.archive.formats.base import Column, Reader
from purge.archive.formats.json import Json, Parser

PLAIN = (str, int, type(None))  # a boolean is an integer


def read_some(form: str, columns: Sequence[Column], file: BinaryIO, names: Sequence[str]) -> Reader:
    """The values of some columns, row after row, as text; `FormatError` as the reader raises it."""
    kind, places = FORMATS[form], [[each.name for each in columns].index(name) for name in names]
    if isinstance(kind, Json):
        return kind.read_lines(file, _parser(columns, names, places))
    rows = kind.reader(columns, file)
    return (tuple(row[place] for place in places) for row in rows)


def _parser(columns: Sequence[Column], names: Sequence[str], places: list[int]) -> Any:
    exact, types = Parser(columns), dict(columns)
    is_told = not any(types[name] == "jsonb" for name in names)  # where a text is not its JSON

    def parse(line: str) -> tuple[str | None, ...]:
        values = _plain(line, names) if is_told else None
        if values is None:
            row = exact(line)
            return tuple(row[place] for place in places)
        return tuple(_text(value) for value in values)

    return parse


def _plain(line: str, names: Sequence[str]) -> list[Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    values = [found[name] for name in names]
    return values if all(isinstance(value, PLAIN) for value in values) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
