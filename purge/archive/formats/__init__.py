"""The formats of an archive, by name."""

from purge.archive.formats.base import (
    BlockWriter,
    Column,
    Format,
    FormatError,
    Reader,
    Row,
    Writer,
)
from purge.archive.formats.iceberg import ICEBERG
from purge.archive.formats.json import JSON, JSONL, JSONL_ZSTD
from purge.archive.formats.parquet import PARQUET
from purge.archive.formats.txt import TXT

FORMATS: dict[str, Format] = {
    each.name: each for each in (JSON, JSONL, JSONL_ZSTD, TXT, PARQUET, ICEBERG)
}

__all__ = (
    "FORMATS", "BlockWriter", "Column", "Format", "FormatError", "Reader", "Row", "Writer",
)  # fmt: skip
