"""Which models of the site have an answer to "when do its rows end?", and which have none.

A model is covered by a policy on its table, by `keep_forever`, or because each of its rows goes
along with a row that a policy ends: by a foreign key that is never empty, with on_delete=CASCADE or
DB_CASCADE.
Not asked: abstract models, proxies (their table's model is), the tables that a ManyToManyField
makes by itself, the models of this package. Unmanaged and installed ones are: they hold people's
data too.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import CASCADE, Model

from lifecycle.exceptions import PolicyError
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, policies_of

OURS = {"lifecycle", "purge"}
CASCADES = (CASCADE, getattr(models, "DB_CASCADE", CASCADE))  # by Django, by the database
UNWRITTEN = "TODO"  # a reason that begins so was pasted, and not written yet

_kept: dict[type[Model], str] = {}


def keep_forever(model: type[Model], reason: str) -> None:
    """Declare, in `<app>/policies.py`, that the rows of a model have no end, and why.

    For the check of the setting LIFECYCLE_REQUIRE_COVERAGE. It stops no delete: for that there are
    `hold` and PROTECT. Raises `PolicyError` where the reason is empty, or the model has one.
    """
    concrete: Any = getattr(getattr(model, "_meta", None), "concrete_model", None)
    if concrete is None or not isinstance(model, type):
        raise PolicyError(f"keep_forever() takes a concrete model class, not {model!r}.")
    if not isinstance(reason, str) or not any(map(str.isalnum, reason)):
        raise PolicyError(f"keep_forever({concrete._meta.label}) wants a reason, in words.")
    if concrete in _kept:
        raise PolicyError(f"keep_forever({concrete._meta.label}) is declared twice.")
    _kept[concrete] = reason


def kept() -> dict[type[Model], str]:
    """The models that are kept for ever, with the reasons."""
    return dict(_kept)


def uncovered() -> list[type[Model]]:
    """The models that have neither a policy nor a reason, by label."""
    covered = {model for policy in all_policies() for model in all_along(policy)}
    found = {model for model in asked() if not policies_of(model)}
    return sorted(found - covered - _kept.keys(), key=lambda model: model._meta.label)


def asked() -> list[type[Model]]:
    """The models that want an answer."""
    return [model for model in apps.get_models() if _is_asked(model)]


def all_along(policy: Policy) -> set[type[Model]]:
    """The models of which every row goes along with a row of the policy's model, when it ends."""
    return set(_closure(_table(policy), _goes_along)) if deletes(policy) else set()


def taken_along(policy: Policy) -> set[type[Model]]:
    """The models of which rows may go along when the policy ends a row, its own left out."""
    return set(_closure(_table(policy), _may_go_along)) if deletes(policy) else set()


def deletes(policy: Policy) -> bool:
    """Whether rows end by being deleted."""
    return not isinstance(policy.disposition, Update)


def _table(policy: Policy) -> set[Any]:
    return {policy.model._meta.concrete_model}


def _is_asked(model: Any) -> bool:
    return not model._meta.proxy and model._meta.app_label not in OURS


def _closure(begin: set[Any], after: Any) -> Iterator[Any]:
    """What is reached from models, step by step, themselves left out."""
    seen, fresh = set(begin), list(begin)
    while fresh:
        for model in after(fresh.pop()):
            if model not in seen:
                seen.add(model)
                fresh.append(model)
                yield model


def _goes_along(model: Any) -> Iterator[Any]:
    """Models of which every row has a row of this one, and is deleted with it."""
    for field in _cascades(model):
        if not field.null and field.remote_field.model._meta.concrete_model is model:
            yield field.model  # not what hangs on a parent, which has rows of its own


def _may_go_along(model: Any) -> Iterator[Any]:
    """Also where the key may be empty, by GenericRelation, and the parents' rows of a child."""
    yield from (field.model for field in _cascades(model))
    yield from model._meta.parents
    for field in model._meta.private_fields:
        if hasattr(field, "bulk_related_objects"):
            yield field.related_model._meta.concrete_model


def _cascades(model: Any) -> Iterator[Any]:
    """The foreign keys to a model, and to its parents, that take their rows along."""
    for relation in model._meta.related_objects + _hidden(model):
        if getattr(relation, "on_delete", None) in CASCADES:
            yield relation.field


def _hidden(model: Any) -> tuple[Any, ...]:
    """Those without a name on this side: related_name="+"."""
    found = model._meta.get_fields(include_hidden=True)
    return tuple(each for each in found if each.auto_created and each.hidden)
