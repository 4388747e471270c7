"""JSON: an object a line, in an array (`json`), or one after the other and compressed: by gzip
(`jsonl`), or by Zstandard (`jsonlzst`).

`_exact` is a further key of a row, only where it has to be: the text of the columns that their
JSON does not tell exactly. That is JSON's own null in a column that may be NULL as well.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, BinaryIO

from purge.archive.formats.base import (
    BlockWriter,
    Column,
    Format,
    FormatError,
    Reader,
    Row,
    Writer,
    exact_name,
    lines,
)
from purge.archive.formats.compressed import (
    errors,
    gzip_of,
    gzip_to,
    has_zstd,
    zstd_of,
    zstd_to,
)
from purge.archive.formats.in_sql import json_lines
from purge.archive.formats.values import decode, encoder

SCALAR = re.compile(r"[^,}\]\s]+")
BRACKET = re.compile(r'["\[\]{}]')

#: what lines raise that are none of ours
WRONG = (ValueError, IndexError, TypeError, AttributeError, RecursionError)
Packing = Callable[[BinaryIO], BinaryIO]


class Lines:
    """Makes the lines of rows, column by column."""

    def __init__(self, columns: Sequence[Column]) -> None:
        names = [json.dumps(name, ensure_ascii=False) for name, _ in columns]
        self.template = "{" + ", ".join(f"{name.replace('%', '%%')}: %s" for name in names) + "}"
        self.names = [name for name, _ in columns]
        self.encoders = [encoder(db_type) for _, db_type in columns]
        self.documents = [i for i, column in enumerate(columns) if column.db_type == "jsonb"]
        self.exact_name = json.dumps(exact_name(columns), ensure_ascii=False)

    def of(self, rows: Sequence[Row]) -> list[str]:
        """A line for each row, without its end."""
        values = list(zip(*rows, strict=True))
        cells = [_encoded(*pair) for pair in zip(self.encoders, values, strict=True)]
        lines = [self.template % row for row in zip(*cells, strict=True)]
        for index, exact in self._exact_texts(values).items():
            text = json.dumps(exact, ensure_ascii=False)
            lines[index] = f"{lines[index][:-1]}, {self.exact_name}: {text}}}"
        return lines

    def _exact_texts(self, values: list[tuple[str | None, ...]]) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        for column in self.documents:
            if "null" in values[column]:
                for index, value in enumerate(values[column]):
                    if value == "null":
                        found.setdefault(index, {})[self.names[column]] = value
        return found


def _encoded(encode: Any, values: tuple[str | None, ...]) -> list[str]:
    if encode is None:
        return ["null" if value is None else value for value in values]
    return ["null" if value is None else encode(value) for value in values]


class ArrayWriter:
    """A JSON array with a row on each line."""

    def __init__(self, columns: Sequence[Column], file: BinaryIO) -> None:
        self.lines, self.file, self.start = Lines(columns), file, "[\n"

    def write(self, rows: Sequence[Row]) -> None:
        if rows:
            self.file.write((self.start + ",\n".join(self.lines.of(rows))).encode())
            self.start = ",\n"

    def write_block(self, block: bytes) -> None:
        self.file.write(self.start.encode() + block[:-1].replace(b"\n", b",\n"))
        self.start = ",\n"

    def close(self) -> None:
        self.file.write(b"[]\n" if self.start == "[\n" else b"\n]\n")


class LineWriter:
    """A row on each line, to a file that compresses."""

    def __init__(self, columns: Sequence[Column], file: BinaryIO) -> None:
        self.lines, self.file = Lines(columns), file

    def write_block(self, block: bytes) -> None:
        self.file.write(block)

    def write(self, rows: Sequence[Row]) -> None:
        if rows:
            self.file.write(("\n".join(self.lines.of(rows)) + "\n").encode())

    def close(self) -> None:
        self.file.close()


@dataclass(frozen=True)
class Json(Format):
    """Rows as JSON: lines that are compressed in one way, or an array.

    `packed` is the file to write to, `unpacked` what a file holds; both None for an array.
    """

    packed: Packing | None = None
    unpacked: Packing | None = None

    @property
    def missing(self) -> str:
        lacks = self.packed is zstd_to and not has_zstd()
        return "pip install django-tombstone[zstd]" if lacks else ""

    def writer(self, columns: Sequence[Column], file: BinaryIO) -> Writer:
        return self._writer(columns, file)

    def copied(self, columns: Sequence[Column], quote: Callable[[str], str]) -> str | None:
        return json_lines(columns, quote)

    def block_writer(self, columns: Sequence[Column], file: BinaryIO) -> BlockWriter:
        return self._writer(columns, file)

    def _writer(self, columns: Sequence[Column], file: BinaryIO) -> "ArrayWriter | LineWriter":
        self._require()
        return LineWriter(columns, self.packed(file)) if self.packed else ArrayWriter(columns, file)

    def _require(self) -> None:
        if self.missing:
            raise FormatError(f"The format {self.name} needs backports.zstd: {self.missing}")

    def reader(
        self, columns: Sequence[Column], file: BinaryIO, longest: int | None = None
    ) -> Reader:
        return self.read_lines(file, Parser(columns), longest)

    def read_lines(
        self, file: BinaryIO, parse: Callable[[str], Row], longest: int | None = None
    ) -> Reader:
        """What each line of a file is taken for; `FormatError` where that fails."""
        self._require()
        wrong: tuple[type[Exception], ...] = (*WRONG, *errors())
        try:
            packed = self.unpacked
            texts = _texts(file, packed, longest) if packed else _elements(file, longest)
            for line in texts:
                yield parse(line)
        except wrong as error:
            raise FormatError(f"This is no {self.name} archive of these columns.") from error


JSON = Json("json", ".json")
JSONL = Json("jsonl", ".jsonl.gz", gzip_to, gzip_of)
JSONL_ZSTD = Json("jsonlzst", ".jsonl.zst", zstd_to, zstd_of)


def _texts(file: BinaryIO, unpacked: Packing, longest: int | None) -> Iterator[str]:
    if not file.read(1):
        raise EOFError  # which would be taken for a whole file of nothing
    file.seek(0)
    with closing(unpacked(file)) as opened:
        for line in lines(opened, longest):
            yield line.decode().rstrip("\n")


def _elements(file: BinaryIO, longest: int | None) -> Iterator[str]:
    every = lines(file, longest)
    first = next(every, b"")
    last = b""
    for line in every if first == b"[\n" else ():
        last = line
        if line != b"]\n":
            yield line.decode().rstrip("\n").removesuffix(",")
    if (first, last) not in ((b"[]\n", b""), (b"[\n", b"]\n")):
        raise ValueError("not a whole array")


class Parser:
    """Takes one line apart into PostgreSQL's text of each column."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.types = dict(columns)
        self.exact_name = exact_name(columns)

    def __call__(self, line: str) -> Row:
        raw = dict(_fields(line))
        exact = json.loads(raw.pop(self.exact_name, "{}"))
        if raw.keys() != self.types.keys():
            raise ValueError("other columns")
        found = {name: decode(raw[name], db_type) for name, db_type in self.types.items()}
        if exact.keys() - found.keys() or not all(isinstance(v, str) for v in exact.values()):
            raise ValueError("other columns")
        return tuple((found | exact).values())


def _fields(line: str) -> Iterator[tuple[str, str]]:
    """The names of an object, and the JSON of their values as it stands there."""
    if line[0] != "{" or line[-1] != "}":
        raise ValueError("no object")
    at = 1
    while at < len(line) - 1:
        name, at = scanstring(line, line.index('"', at) + 1)
        start = at + 2  # after ": "
        at = _end(line, start)
        yield name, line[start:at]


def _end(line: str, at: int) -> int:
    """Where the value that begins here ends; however deep it is, without recursion."""
    if line[at] == '"':
        return int(scanstring(line, at + 1)[1])
    if line[at] not in "[{":
        found = SCALAR.match(line, at)
        if found is None:
            raise ValueError("no value")
        return found.end()
    depth = 0
    while found := BRACKET.search(line, at):
        mark, at = found[0], found.end()
        if mark == '"':
            at = scanstring(line, at)[1]
        else:
            depth += 1 if mark in "[{" else -1
            if not depth:
                return at
    raise ValueError("no end")
