"""Checks of what is declared for each model of the site: a policy, a reason to keep, not both."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.core.checks import CheckMessage

from lifecycle.checks.messages import error, warning
from lifecycle.conf import conf
from lifecycle.policy.coverage import UNWRITTEN, kept, taken_along, uncovered
from lifecycle.policy.registry import all_policies, policies_of

PASTE = """\
Declare a policy, or paste this into policies.py and write the reasons:

from lifecycle import keep_forever
{imports}

{lines}

"""


def check_coverage(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every model of the site, or of the given apps."""
    labels = None if app_configs is None else {config.label for config in app_configs}
    return [
        *every_model(labels),
        *written(_of(labels, kept())),
        *kept_and_ended(_of(labels, kept())),
        *kept_and_taken_along(_of(labels, kept())),
    ]


def every_model(labels: set[str] | None) -> list[CheckMessage]:
    """E040: LIFECYCLE_REQUIRE_COVERAGE is on, and models have neither policy nor reason."""
    models = _of(labels, uncovered()) if conf.REQUIRE_COVERAGE else []
    if not models:
        return []
    names = ", ".join(model._meta.label for model in models)
    text = f"{len(models)} models have neither a policy nor keep_forever: {names}."
    return [error(40, text.replace("1 models have", "1 model has"), _paste(models))]


def written(models: list[Any]) -> list[CheckMessage]:
    """W041: a reason was pasted, and never written."""
    return [
        warning(41, "keep_forever() has no reason yet.", "Write why its rows have no end.", model)
        for model in models
        if kept()[model].startswith(UNWRITTEN)
    ]


def kept_and_ended(models: list[Any]) -> list[CheckMessage]:
    """E042: a model is kept for ever, and a policy stands on it."""
    messages: list[CheckMessage] = []
    for model in models:
        for policy in policies_of(model):
            text = f"It is kept for ever, and policy {policy.name!r} stands on it."
            messages.append(error(42, text, "Remove keep_forever(), or the policy.", model))
    return messages


def kept_and_taken_along(models: list[Any]) -> list[CheckMessage]:
    """W043: rows of a model that is kept for ever go along with rows that a policy ends."""
    messages: list[CheckMessage] = []
    for policy in all_policies():
        for model in sorted(taken_along(policy) & set(models), key=lambda m: m._meta.label):
            text = (
                f"It is kept for ever, but its rows go along when policy {policy.name!r} ends a"
                f" row of {policy.model._meta.label}."
            )
            hint = "Use on_delete=PROTECT or SET_NULL on the way, or remove keep_forever()."
            messages.append(warning(43, text, hint, model))
    return messages


def _of(labels: set[str] | None, models: Iterable[Any]) -> list[Any]:
    return [m for m in models if labels is None or m._meta.app_label in labels]


def _paste(models: list[Any]) -> str:
    """Lines for policies.py; of two models with one name the second gets another."""
    names, imports, lines = set[str](), [], []
    for module, group in groupby(models, key=lambda model: model.__module__):
        imported = []
        for model in group:
            name = model.__name__
            known = name if name not in names else f"{model._meta.app_label.title()}{name}"
            names.add(known)
            imported.append(name if known == name else f"{name} as {known}")
            lines.append(f'keep_forever({known}, "{UNWRITTEN}: why its rows have no end")')
        imports.append(f"from {module} import {', '.join(imported)}")
    return PASTE.format(imports="\n".join(imports), lines="\n".join(lines))
