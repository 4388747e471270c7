"""`capture=Signals()`: what Django's model signals can tell the ledger."""

from functools import partial
from typing import Any

from django.db import connections
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from .compile import compiled
from .db import Raw, fetch, statement
from .keys import key_of, label_of
from .policy import Policy


def connect(policy: Policy) -> None:
    """Record every saved and deleted instance of the policy's model."""
    for model in {policy.model, policy.model._meta.concrete_model}:
        uid = f"lifecycle.{policy.name}.{model}"
        post_save.connect(partial(_saved, policy=policy), model, weak=False, dispatch_uid=uid)
        post_delete.connect(_deleted, model, weak=False, dispatch_uid="lifecycle.deleted")


def _saved(instance: Model, using: str, policy: Policy, **kwargs: Any) -> None:
    # The old row is not known, so every save lists the row again; the worker finds out.
    if kwargs.get("raw") or connections[using].vendor != "postgresql":
        return
    code = compiled(policy)
    text = statement(__file__, "signal_saved", due_sql=Raw(code.due_sql))
    fetch(
        using,
        text,
        {
            "policy": policy.name,
            "model": label_of(policy),
            "key": instance.pk,
            "kind": code.key.kind,
            "resolution": policy.resolution,
        },
    )


def _deleted(instance: Model, using: str, **kwargs: Any) -> None:
    if connections[using].vendor != "postgresql":
        return
    label = instance._meta.concrete_model._meta.label_lower  # type: ignore[union-attr]
    key = key_of(type(instance))
    params = {"model": label, "key": str(instance.pk), "kind": key.kind}
    fetch(using, statement(__file__, "signal_deleted"), params)
