"""PostgreSQL's text of one value to JSON and back, exactly.

A number is a JSON number where every reader takes it exactly: no decimals, of which readers make
floats, and no integers beyond 2**53. Documents are embedded as they are. A NULL is `null`; JSON's
own null goes into `_exact` (see `purge.archive.formats.json`).
"""

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

Encoder = Callable[[str], str]
SAFE = 2**53 - 1
BRIEF = 15  # digits and sign; such a number is below SAFE
NOT_FLAT = re.compile(r"^\[")  # bounds of its own, which a list cannot tell
DECIMAL = re.compile(r"numeric\((\d+),(\d+)\)")
DIGITS = 38  # of the widest decimal
SEMICOLONS = {"box"}  # arrays of it have another separator
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{},])|([^{},"]+)', re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def base_of(db_type: str) -> str:
    """A type without its modifiers: `numeric(10,2)` is `numeric`."""
    return re.sub(r"\([^)]*\)", "", db_type)


def decimal_of(db_type: str) -> tuple[int, int] | None:
    """The digits of a type that is a decimal of 128 bits: all, and those of its fraction."""
    found = DECIMAL.fullmatch(db_type)
    whole, fraction = (int(found[1]), int(found[2])) if found else (0, 0)
    return (whole, fraction) if 0 < whole <= DIGITS and fraction <= whole else None


def encoder(db_type: str) -> Encoder | None:
    """The function from the text of a value to JSON; None where the text is JSON as it is."""
    base = base_of(db_type)
    if base.endswith("[]") and base[:-2] not in SEMICOLONS:
        inner = base[:-2]
        return _array(quoted if inner == "jsonb" else encoder(inner) or str)
    return ENCODERS.get(base, quoted)


def decode(value: str, db_type: str) -> str | None:
    """PostgreSQL's text from the JSON of a value."""
    if value == "null":
        return None
    if db_type == "jsonb":
        return value
    if value[0] == '"':
        return str(json.loads(value))
    if value[0] == "[":
        return compose(json.loads(value, parse_int=str, parse_float=str))
    return value


def _big(text: str) -> str:
    return text if len(text) <= BRIEF or abs(int(text)) <= SAFE else f'"{text}"'


def _float(text: str) -> str:
    return text if text[-1].isdigit() else f'"{text}"'  # NaN, Infinity


def _bool(text: str) -> str:
    return "true" if text[0] == "t" else "false"


def _array(element: Encoder) -> Encoder:
    def encode(text: str) -> str:
        return quoted(text) if NOT_FLAT.match(text) else _list(parse(text), element)

    return encode


def _list(elements: list[Any], element: Encoder) -> str:
    parts = [
        "null"
        if each is None
        else _list(each, element)
        if isinstance(each, list)
        else element(each)
        for each in elements
    ]
    return f"[{', '.join(parts)}]"


ENCODERS: dict[str, Encoder | None] = {
    "smallint": None,
    "integer": None,
    "bigint": _big,
    "real": _float,
    "double precision": _float,
    "boolean": _bool,
    "jsonb": None,
}


def parse(literal: str) -> list[Any]:
    """The text of an array, `{1,NULL,"a b"}`, as a list of text, None and lists."""
    root: list[Any] = []
    stack = [root]
    for in_quotes, mark, plain in TOKEN.findall(literal):
        if mark == "{":
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif mark == "}":
            stack.pop()
        elif mark != ",":
            stack[-1].append(_element(in_quotes, plain))
    return list(root[0])


def _element(in_quotes: str, plain: str) -> str | None:
    if plain:
        return None if plain == "NULL" else plain
    return ESCAPED.sub(r"\1", in_quotes)


def compose(elements: list[Any]) -> str:
    """A list as the text of an array."""
    return "{" + ",".join(map(_literal, elements)) + "}"


def _literal(element: Any) -> str:
    if isinstance(element, list):
        return compose(element)
    if element is None:
        return "NULL"
    if isinstance(element, bool):
        return "true" if element else "false"
    return '"' + element.replace("\\", "\\\\").replace('"', '\\"') + '"'
