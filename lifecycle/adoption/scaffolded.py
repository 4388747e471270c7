"""The policies of a scaffold as they would be on this site, without pasting it.

Its text is run as it would be in an app, but for this: a proxy is the model that it stands for,
`register` keeps a list, `ignore_delete` does nothing. Nothing is registered, and no model is made.
"""

import ast
from types import SimpleNamespace
from typing import Any

from django.apps import apps

from lifecycle.policy.policy import Policy
from lifecycle.scaffolds import Scaffold, names, scaffold

OWN_MODELS = "own_models"


def fitting() -> list[Scaffold]:
    """The scaffolds whose packages are installed here."""
    return [each for each in map(scaffold, names()) if apps.is_installed(each.needs)]


def policies_in(chosen: Scaffold) -> list[Policy]:
    """What the scaffold would declare; raises what its text raises where it does not fit."""
    models = _run(_ProxiesAreTheirModels().visit(ast.parse(chosen.models)), {"stands_for": _actual})
    found: list[Policy] = []
    given = {**models, OWN_MODELS: SimpleNamespace(**models), "register": _kept_in(found)}
    given["ignore_delete"] = lambda model: None
    _run(_WithoutImports().visit(ast.parse(chosen.policies)), given)
    return found


def swapped_in(chosen: Scaffold) -> list[str]:
    """The models of a scaffold that the site has swapped: a proxy of one cannot be made."""
    found: list[str] = []

    def noted(model: Any) -> Any:
        found.extend([model._meta.label] if model._meta.swapped else [])
        return model

    _run(_ProxiesAreTheirModels().visit(ast.parse(chosen.models)), {"stands_for": noted})
    return found


def _kept_in(found: list[Policy]) -> Any:
    return lambda *policies: found.extend(policies)


def _actual(model: Any) -> Any:
    """The model that the site has put in the place of a swappable one."""
    return apps.get_model(model._meta.swapped) if model._meta.swapped else model


def _run(tree: Any, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(ast.fix_missing_locations(tree), "scaffold", "exec"), names)  # noqa: S102 - ours
    return names


class _ProxiesAreTheirModels(ast.NodeTransformer):
    """`class Old(Log): ...` becomes `Old = stands_for(Log)`."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        name = ast.Name(node.name, ast.Store())
        stands_for = ast.Name("stands_for", ast.Load())
        return ast.Assign([name], ast.Call(stands_for, [node.bases[0]], []))


class _WithoutImports(ast.NodeTransformer):
    """Nothing is imported from the app itself, nor the real `register`."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if node.level and node.module is None:  # from . import models as name
            name = ast.Name(node.names[0].asname or node.names[0].name, ast.Store())
            return ast.Assign([name], ast.Name(OWN_MODELS, ast.Load()))
        kept = [each for each in node.names if each.name not in ("register", "ignore_delete")]
        if node.level or not kept:
            return None
        return ast.ImportFrom(node.module, kept, 0)
