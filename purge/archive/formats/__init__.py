"""The formats of an archive, by name."""

from .base import Column, Format, FormatError, Reader, Row, Writer
from .lines import JSON, JSONL
from .parquet import PARQUET
from .text import TXT

FORMATS: dict[str, Format] = {each.name: each for each in (JSON, JSONL, TXT, PARQUET)}

__all__ = ("FORMATS", "Column", "Format", "FormatError", "Reader", "Row", "Writer")
