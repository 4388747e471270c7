"""Loads the package's `.sql` files: one statement or function each."""

from functools import cache
from pathlib import Path


@cache
def load(package: str, name: str) -> str:
    """The text of `sql/<name>.sql` beside the package's module file; comments kept."""
    return (Path(package).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
