"""Proposals into `models.py` and `policies.py` of an app of the site.

What is there stays as it is: text is put after it, under a mark with the name of what was proposed,
and what has its mark in the files already is not written again. All is read as Python before the
first file is touched.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

from django.apps import apps

from lifecycle.adoption.imports import SET, bound, hoisted
from lifecycle.adoption.proposals import GUESS, SCAFFOLD, Proposal, is_package
from lifecycle.exceptions import LifecycleError, did_you_mean
from lifecycle.policy.coverage import OURS
from lifecycle.scaffolds import scaffold

MARK = "# adopted: {name}"
PARTS = ("models", "policies")
GAPS = {"models": "\n\n\n", "policies": "\n\n"}
FOR_GUESSES = """from datetime import timedelta

from django.apps import apps
from django.db.models import F, Q

from lifecycle import Policy, register
"""


def write(found: list[Proposal], label: str) -> dict[Path, list[str]]:
    """The names of what was written, by file. Raises `LifecycleError`, and has written nothing."""
    folder = _folder(label)
    files = {part: folder / f"{part}.py" for part in PARTS}
    before = {part: _text_of(files[part]) for part in PARTS}
    known = before["policies"].splitlines()
    sections = {n: s for n, s in _sections(found).items() if MARK.format(name=n) not in known}
    for part in PARTS:
        _parsed(files[part], before[part])
    after = {part: _with(before[part], part, sections) for part in PARTS}
    for part in PARTS:
        _require_sound(files[part], before[part], after[part])
    for part in PARTS:
        if after[part] != before[part]:
            _replace(files[part], after[part])
    return {files[part]: [n for n, s in sections.items() if s[part]] for part in PARTS}


def _folder(label: str) -> Path:
    """The folder of an app of the site."""
    own = {each.label: each.path for each in apps.get_app_configs() if not is_package(each)}
    own = {name: path for name, path in own.items() if name not in OURS}
    if label not in own:
        hint = did_you_mean(label, own)
        raise LifecycleError(f"{label!r} is no app of the site's own in INSTALLED_APPS.{hint}")
    return Path(own[label])


def _sections(found: Iterable[Proposal]) -> dict[str, dict[str, str]]:
    """Name -> the text for each file."""
    sections: dict[str, dict[str, str]] = {}
    for each in found:
        if each.by_hand:
            continue
        if each.kind == SCAFFOLD and each.name not in sections:
            chosen = scaffold(each.name)
            sections[each.name] = {"models": chosen.models, "policies": chosen.policies}
        elif each.kind == GUESS:
            comment = f"# A guess: {each.reason}."
            text = f"{FOR_GUESSES}\n{comment}\n{each.text}"
            sections[each.name] = {"models": "", "policies": text}
    return sections


def _with(before: str, part: str, sections: dict[str, dict[str, str]]) -> str:
    added = {MARK.format(name=n): s[part] for n, s in sections.items() if s[part]}
    if not added:
        return before
    between = "" if not before.strip() else "\n\n" if before.endswith("\n") else "\n\n\n"
    return before + between + hoisted(added, GAPS[part], before)


def _text_of(path: Path) -> str:
    if path.with_suffix("").is_dir():
        raise LifecycleError(f"{path.with_suffix('')} is a package: name an app with {path.name}.")
    try:
        return path.read_bytes().decode() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise LifecycleError(f"{path} cannot be read: {error}") from error


def _require_sound(path: Path, before: str, after: str) -> None:
    """Refuse what is no Python, and classes and other names that the file has already."""
    twice = _twice(_parsed(path, after)) - _twice(_parsed(path, before))
    if twice:
        raise LifecycleError(f"{path} would have two classes {', '.join(sorted(twice))}.")
    known, added = bound(before), bound(after[len(before) :])
    others = {name for name, meant in known.items() if meant not in (SET, added.get(name, meant))}
    if others:
        raise LifecycleError(f"{path} would mean something else by {', '.join(sorted(others))}.")


def _parsed(path: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise LifecycleError(f"{path} cannot be read as Python: {error}") from error


def _twice(tree: ast.Module) -> set[str]:
    """The names of several classes; those inside of classes and functions are not asked."""
    names: list[str] = []
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.ClassDef):
            names.append(node.name)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes += ast.iter_child_nodes(node)
    return {name for name in names if names.count(name) > 1}


def _replace(path: Path, text: str) -> None:
    """The whole file at once, with the mode that it had."""
    path = path.resolve()
    new = path.with_name(f".{path.name}.adopted")
    try:
        new.write_bytes(text.encode())
        new.chmod(path.stat().st_mode if path.exists() else 0o644)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise LifecycleError(f"{path} cannot be written: {error}") from error
