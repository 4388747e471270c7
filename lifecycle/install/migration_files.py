"""The triggers of this package in a project's migration files, and a history without them.

An operation that adds or removes a capture trigger changes no model and, once the triggers are off
the tables, no database. So it can be cut out of a migration that has run long ago: Django knows a
migration by its name only.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from lifecycle.operations import Captured

OURS = f"{Captured.__module__}.{Captured.__name__}"
NAME = re.compile(r"lc_(\w+_[iu]|delete|truncate)")
IMPORT = re.compile(r"^import (pgtrigger|lifecycle)(\.\w+)*\n", re.MULTILINE)
INSTALLED = {"site-packages", "dist-packages"}


def files() -> list[Path]:
    """The project's own migrations that name a capture trigger."""
    found = (path for folder in _folders() for path in sorted(folder.glob("*.py")))
    return [path for path in found if cuts(path.read_text(encoding="utf-8"))]


def without_triggers(text: str) -> str:
    """The text of a migration without them, and without the imports that nothing needs then."""
    lines = text.splitlines(keepends=True)
    for first, last in sorted(cuts(text), reverse=True):
        del lines[first - 1 : last]
    rest = "".join(lines)
    for name in ("pgtrigger", "lifecycle"):
        if not re.search(rf"\b{name}\.", IMPORT.sub("", rest)):
            rest = re.sub(rf"^import {name}(\.\w+)*\n", "", rest, flags=re.MULTILINE)
    return rest


def cuts(text: str) -> list[tuple[int, int]]:
    """The first and the last line of each such operation."""
    lists = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.List))
    calls = (each for node in lists for each in node.elts if isinstance(each, ast.Call))
    return [(call.lineno, call.end_lineno or call.lineno) for call in calls if _is_ours(call)]


def _is_ours(call: ast.Call) -> bool:
    """Whether it adds a trigger of our class, or removes one that has such a name."""
    operation = ast.unparse(call.func).rpartition(".")[2]
    given = {each.arg: each.value for each in call.keywords}
    if operation == "AddTrigger":
        trigger = given.get("trigger")
        return isinstance(trigger, ast.Call) and ast.unparse(trigger.func) == OURS
    name = given.get("name")
    named = isinstance(name, ast.Constant) and NAME.fullmatch(str(name.value))
    return operation == "RemoveTrigger" and bool(named)


def _folders() -> Iterator[Path]:
    for label in sorted(apps.app_configs):
        name, _ = MigrationLoader.migrations_module(label)
        try:
            spec = find_spec(name) if name else None
        except ModuleNotFoundError:
            continue
        if spec and spec.origin and INSTALLED.isdisjoint(Path(spec.origin).parts):
            yield Path(spec.origin).parent
