"""The code map and the glossary name what is there, under the name that it has in the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lifecycle.models import Event
from tests.infra.servers import ROOT
from tests.test_layers import modules

MAP = ROOT / "docs" / "code-map.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
PATH = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|sql))(?:: ([\w.]+))?`")


def unknown_paths(text: str) -> list[str]:
    """The backticked files, and functions or classes of files, that are not there."""
    return [found[0] for found in PATH.finditer(text) if not is_there(found[1], found[2])]


def is_there(file: str, name: str | None) -> bool:
    path = ROOT / file
    return path.is_file() and (name is None or name in set(defined(path)))


def defined(path: Path) -> Iterator[str]:
    """What classes and functions a module has, with their own: `Batch.write`; or statements."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield from re.findall(r"^-- name: (\w+)$", text, re.MULTILINE)
        return
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for name in members(node))


def members(node: ast.ClassDef) -> Iterator[str]:
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, ast.AnnAssign | ast.Assign):
            targets = [inner.target] if isinstance(inner, ast.AnnAssign) else inner.targets
            yield from (each.id for each in targets if isinstance(each, ast.Name))


def packages() -> set[str]:
    return {name for name, path in modules("lifecycle", "purge").items() if path.stem == "__init__"}


def unknown_packages(text: str) -> list[str]:
    """The backticked dotted names that are neither a package nor a module."""
    dotted = set(re.findall(r"`((?:lifecycle|purge)(?:\.\w+)+)`", text))
    return sorted(dotted - set(modules("lifecycle", "purge")))


def missing_packages(text: str) -> list[str]:
    """The packages without a line of their own in the table."""
    return sorted(packages() - set(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE)))


def unknown_words(text: str) -> list[str]:
    """The names of the glossary's third column that neither Python nor the database has."""
    column = " ".join(re.findall(r"^\| \*\*.*\| ([^|]*) \|$", text, re.MULTILINE))
    known = known_names()
    return [name for name in re.findall(r"`([^`]+)`", column) if name not in known]


@cache
def known_names() -> set[str]:
    """Classes, functions, fields and constants, and the functions of the database."""
    paths = modules("lifecycle", "purge").values()
    names = {name for path in paths for name in (*defined(path), *constants(path))}
    functions = {path.stem for path in (ROOT / "lifecycle" / "functions").glob("*.sql")}
    return names | {name.rpartition(".")[2] for name in names} | functions | {Event._meta.db_table}


def constants(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))


def test_the_map_names_what_is_there() -> None:
    text = MAP.read_text(encoding="utf-8")
    assert len(PATH.findall(text)) > 5
    assert unknown_paths(text) == []
    assert unknown_packages(text) == []


def test_the_map_names_every_package() -> None:
    text = MAP.read_text(encoding="utf-8")
    assert len(packages()) > 30
    assert missing_packages(text) == []


@pytest.mark.parametrize(
    "planted",
    [
        "`purge/batch/nowhere.py`",
        "`purge/batch/nowhere.py: Batch`",
        "`purge/batch/state.py: nothing`",
        "`purge/batch/state.py: Batch.nothing`",
        "`lifecycle/functions/nothing_v1.sql`",
        "`purge/batch/state.sql: nothing`",
    ],
)
def test_a_wrong_name_is_found(planted: str) -> None:
    text = MAP.read_text(encoding="utf-8")
    assert unknown_paths(f"{text}\nSee {planted}.") == [planted]


def test_a_wrong_package_is_found() -> None:
    text = MAP.read_text(encoding="utf-8")
    assert unknown_packages(f"{text}\nIt is in `purge.nowhere`.") == ["purge.nowhere"]
    assert missing_packages(text.replace("| `purge.batch.cascade` |", "| `purge.batch` |")) == [
        "purge.batch.cascade"
    ]


def test_the_glossary_has_the_names_of_the_code() -> None:
    text = GLOSSARY.read_text(encoding="utf-8")
    assert unknown_words(text) == []
    planted = f"{text}| **nothing** | none | `NoSuchName` |\n"
    assert unknown_words(planted) == ["NoSuchName"]
