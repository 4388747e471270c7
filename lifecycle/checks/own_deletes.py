"""The check of models that delete in a way of their own."""

from typing import Any

from django.core.checks import CheckMessage

from lifecycle.checks.messages import warning
from lifecycle.policy.coverage import deletes, taken_along
from lifecycle.policy.own_deletes import ignored, own_deletes
from lifecycle.policy.registry import all_policies

HINT = (
    "Let such rows end by Update(...) where they are only marked, by a receiver of pre_delete or"
    " post_delete (which is called) or a trigger where something is to be mended; keep rows with"
    " others below them by keep_while. Where it may be passed by: ignore_delete({model}) in"
    " policies.py."
)


def check_own_deletes(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """W048: rows end past the model's own delete(), under a policy or along with other rows."""
    labels = None if app_configs is None else {config.label for config in app_configs}
    messages: list[CheckMessage] = []
    for model, policies in sorted(_ending().items(), key=lambda each: each[0]._meta.label):
        found = own_deletes(model)
        if not found or model in ignored() or (labels and model._meta.app_label not in labels):
            continue
        passed = ", ".join(f"{name}()" for name in found)
        text = (
            f"Rows end without {passed}, under policy"
            f" {', '.join(map(repr, sorted(policies)))}: a policy deletes sets of rows."
        )
        messages.append(warning(48, text, HINT.format(model=model.__name__), model))
    return messages


def _ending() -> dict[Any, set[str]]:
    """The models of which policies delete rows, also along with others, and which do so."""
    found: dict[Any, set[str]] = {}
    for policy in all_policies():
        if deletes(policy):
            own: Any = policy.model._meta.concrete_model
            for model in {own, *taken_along(policy)}:
                found.setdefault(model, set()).add(policy.name)
    return found
