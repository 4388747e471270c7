"""Loads the package's `.sql` files: one statement or function each."""

from functools import cache
from pathlib import Path


@cache
def load(package: str, name: str) -> str:
    """The text of `sql/<name>.sql` beside the package's module file; comments kept."""
    for folder in Path(package).parents:
        path = folder / "sql" / f"{name}.sql"
        if path.exists():
            return path.read_text(encoding="utf-8")
        if not (folder / "__init__.py").exists():
            break
    raise FileNotFoundError(name)
