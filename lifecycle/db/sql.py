"""Loads SQL: a module's statements, from the `.sql` file beside it, and the database's functions.

In such a file each statement begins with a line `-- name: <name>`.
"""

import re
from functools import cache
from pathlib import Path


def load(module: str, name: str) -> str:
    """The statement `name` of the `.sql` file beside a module's file; comments kept."""
    return _statements(Path(module).with_suffix(".sql"))[name]


@cache
def _statements(path: Path) -> dict[str, str]:
    _, *parts = re.split(r"^-- name: (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = (part.rstrip("\n") + "\n" for part in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))


@cache
def function_file(name: str) -> str:
    """A file of `functions/`; `@tables@` in it is the schema of the tables."""
    path = Path(__file__).parent.parent / "functions" / f"{name}.sql"
    return path.read_text(encoding="utf-8")
