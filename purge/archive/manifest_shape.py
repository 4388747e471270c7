"""What each field of a manifest has to be: a manifest is a file, which anybody may have written.

No value that passes can leave the folder of its archive, or be too large to be counted with. What
the engine writes always passes: identifiers of PostgreSQL hold any character but the null one.
"""

import re
from collections.abc import Callable
from typing import Any

from lifecycle.exceptions import LifecycleError

MOST = 2**63 - 1  # rows or bytes
COLUMNS = 1_600  # of a table of PostgreSQL
NAME = 63  # bytes of an identifier of PostgreSQL
BEFORE = 1_000  # archives, of which each stood for the next
FILES = 500  # of an archive: one for each format, or for each month
MONTHLY = "iceberg"  # the format that has a file for each month
HALF = re.compile("[\ud800-\udfff]")
PATH = re.compile(r"(?a:[-\w./]{1,1000})")

Shape = Callable[[Any], bool]


class ManifestError(LifecycleError):
    """The manifest cannot be read."""


def wrong_field(given: Any) -> str:
    """The first field that has not its shape; '' where all have."""
    if not isinstance(given, dict):
        return "a field"
    fields = FIELDS if given.get("version") == 1 else FIELDS | REPLACING
    if given.keys() - fields.keys():
        return "a field"
    wrong = [name for name, fits in fields.items() if name not in given or not fits(given[name])]
    if wrong:
        return wrong[0]
    names = [column["name"] for column in given["columns"]]
    if given["key"] not in names or len(set(names)) < len(names):
        return "key" if given["key"] not in names else "columns"
    return "" if _are_beside(given) else "files"


def _are_beside(given: dict[str, Any]) -> bool:
    """Whether there are files, all in one folder, with the archive's name, and a format each; those
    of a table have one format, and a name each."""
    formats = {file["format"] for file in given["files"]}
    folders = {file["name"].rpartition("/")[0] for file in given["files"]}
    begins = f"{given['name']}."
    named = all(file["name"].rpartition("/")[2].startswith(begins) for file in given["files"])
    if formats == {MONTHLY}:
        formats = {file["name"] for file in given["files"]}
    return named and len(folders) == 1 and len(formats) == len(given["files"])


def _text(pattern: str) -> Shape:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST


def _object(**shapes: Shape) -> Shape:
    """An object of these fields and no others."""

    def fits(value: Any) -> bool:
        is_one = isinstance(value, dict) and value.keys() == shapes.keys()
        return is_one and all(shape(value[name]) for name, shape in shapes.items())

    return fits


def _list(shape: Shape, most: int) -> Shape:
    return lambda v: isinstance(v, list) and len(v) <= most and all(map(shape, v))


def _or_null(shape: Shape) -> Shape:
    return lambda value: value is None or shape(value)


def _words(value: Any) -> bool:
    """A text of some length, without halves of characters, which no file and no database takes."""
    return _whole(value) and 0 < len(value) <= 1_000 and "\0" not in value


def _whole(value: Any) -> bool:
    return isinstance(value, str) and not HALF.search(value)


def _identifier(value: Any) -> bool:
    return _words(value) and len(value.encode()) <= NAME


def _path(value: Any) -> bool:
    """A plain path: not absolute, nothing empty, no step upwards."""
    is_plain = isinstance(value, str) and PATH.fullmatch(value) is not None
    return is_plain and not {"", ".", ".."} & set(value.split("/"))


_time = _text(r"[-+\w:.]{1,80}")  # also `infinity`, and years BC
_end = _object(key=_or_null(_whole), time=_or_null(_time))
_column = _object(name=_identifier, type=_words)
_file = _object(
    format=_text(r"[a-z0-9]{1,20}"), name=_path, bytes=_count, sha256=_text(r"[0-9a-f]{64}")
)

_name = _text(r"(?a:[\w-]{1,200})")
_sha256 = _text(r"[0-9a-f]{64}")
_before = _list(_object(name=_name, manifest=_sha256), BEFORE)
_replaced = _object(
    name=_name, manifest=_sha256, rows=_count, seal=_text(r"[-\w]{0,100}"), before=_before
)

#: of version 2 beside the others
REPLACING: dict[str, Shape] = {"replaces": _replaced}
FIELDS: dict[str, Shape] = {
    "version": lambda value: value in (1, 2) and type(value) is int,
    "name": _name,
    "policy": _text(r"[a-z0-9-]{1,40}"),
    "model": _text(r"\w{1,100}\.\w{1,100}"),
    "table": _words,
    "key": _identifier,
    "rows": _count,
    "first": _end,
    "last": _end,
    "made": _text(r"(?a:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00)"),
    "columns": _list(_column, COLUMNS),
    "files": _list(_file, FILES),
}
