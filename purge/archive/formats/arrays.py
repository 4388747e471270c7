"""Arrays of PostgreSQL, as it writes them, to lists and back."""

import re
from typing import Any

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{},])|([^{},"]+)', re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(literal: str) -> list[Any]:
    """`{1,NULL,"a b"}` as a list of text, None and lists."""
    root: list[Any] = []
    stack = [root]
    for quoted, mark, plain in TOKEN.findall(literal):
        if mark == "{":
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif mark == "}":
            stack.pop()
        elif mark != ",":
            stack[-1].append(_element(quoted, plain))
    return list(root[0])


def _element(quoted: str, plain: str) -> str | None:
    if plain:
        return None if plain == "NULL" else plain
    return ESCAPED.sub(r"\1", quoted)


def compose(elements: list[Any]) -> str:
    """A list as PostgreSQL reads it."""
    return "{" + ",".join(map(_literal, elements)) + "}"


def _literal(element: Any) -> str:
    if isinstance(element, list):
        return compose(element)
    if element is None:
        return "NULL"
    if isinstance(element, bool):
        return "true" if element else "false"
    return '"' + element.replace("\\", "\\\\").replace('"', '\\"') + '"'
