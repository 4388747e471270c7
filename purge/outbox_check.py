"""A system check of `on_purge`."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage

from purge.checks import error


def check_told(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """purge.E008: a subscriber of `on_purge` is never told, for the ledger names no row of it."""
    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.compiler.partitions import go_whole
    from lifecycle.compiler.windows import counts_only
    from lifecycle.policy.registry import policies_of
    from purge.outbox.subscribers import subscribers

    found: list[CheckMessage] = []
    for each in subscribers():
        label, name = each.model._meta.label, each.name
        if not policies_of(each.model):
            text = f"{name!r} wants to be told of {label}, on which no policy stands."
            found.append(error(8, text, "Declare a policy on it; `on_request=True` is enough."))
        elif counts_only(each.model):
            text = f"{name!r} wants to be told of {label}, whose keys are kept out of the ledger."
            found.append(error(8, text, "Without keys there is nothing to tell."))
        elif go_whole(each.model):
            text = f"{name!r} wants to be told of {label}, whose rows go with their partitions."
            found.append(error(8, text, "They are counted: without keys there is nothing to tell."))
    return found
