"""`capture=Signals()`: what Django's model signals can tell the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_save

from lifecycle.capture.media_triggers import has_triggers
from lifecycle.compiler.keys import key_of, key_text, label_of, label_of_model
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, sqlstate, statement
from lifecycle.db.tables import is_elsewhere
from lifecycle.db.version import fits
from lifecycle.policy.media_fields import file_fields
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of

_silent: ContextVar[bool] = ContextVar("lifecycle_silent", default=False)  # tests only
REMEMBERED = "_lifecycle_due"  # in an instance's __dict__, from pre_save to post_save


def connect(policy: Policy) -> None:
    """Record every saved and deleted instance of the policy's model."""
    for model in {policy.model, policy.model._meta.concrete_model}:
        uid = f"lifecycle.{policy.name}.{model}"
        for signal, receiver in ((pre_save, _saving), (post_save, _saved)):
            signal.connect(partial(receiver, policy=policy), model, weak=False, dispatch_uid=uid)
        post_delete.connect(_deleted, model, weak=False, dispatch_uid="lifecycle.deleted")


@contextmanager
def silent() -> Iterator[None]:
    """Nothing is recorded inside; for `lifecycle.testing`."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def _records(using: str, instance: Model) -> bool:
    if connections[using].vendor != "postgresql" or _silent.get():
        return False
    # Before the package's migrations, or after its uninstall, the host's writes go on. And so do
    # those into another table than the one that policies stand on.
    return fits(using) and not is_elsewhere(using, [instance])


def _saving(instance: Model, using: str, policy: Policy, **kwargs: Any) -> None:
    """Remember when the row ended before: an unchanged end must not take a restore back."""
    if kwargs.get("raw") or not _records(using, instance):
        return
    found, _ = _due(instance, using, policy)
    instance.__dict__.setdefault(REMEMBERED, {})[policy.name] = found


def _saved(instance: Model, using: str, policy: Policy, **kwargs: Any) -> None:
    if kwargs.get("raw") or not _records(using, instance):
        return
    before = instance.__dict__.get(REMEMBERED, {}).pop(policy.name, None)
    found, failure = _due(instance, using, policy)
    params = {"policy": policy.name, "model": label_of(policy), "kind": compiled(policy).key.kind}
    if failure:
        params |= {"key": key_text(type(instance), instance.pk), "sqlstate": failure}
        fetch(using, _about(instance, "signal_failed"), params)
    elif found:
        row: dict[str, Any] = {"key": found[0], "due": found[1], "same": found == before}
        row["resolution"] = policy.resolution
        fetch(using, statement(__file__, "signal_saved"), params | row)


def _due(instance: Model, using: str, policy: Policy) -> tuple[tuple[Any, ...] | None, str]:
    """The row's key and end as they are in the database, or why its expression fails."""
    code = compiled(policy)
    parts = {"due_sql": Raw(code.due_sql), "key": Placed(code.key.text("key"))}
    parts["given"] = Placed(code.key.typed("%(key)s"))
    text = statement(__file__, "signal_due", **parts)
    try:
        with transaction.atomic(using=using):
            found = fetch(using, text, {"key": key_text(type(instance), instance.pk)})
    except DatabaseError as error:
        return None, sqlstate(error) or "XX000"
    return (found[0] if found else None), ""


def _deleted(instance: Model, using: str, **kwargs: Any) -> None:
    if not _records(using, instance):
        return
    if any(policy.capture.triggers for policy in policies_of(type(instance))):
        return  # another policy's DELETE trigger has recorded it
    label = label_of_model(instance)
    key = key_of(type(instance))
    params = {"model": label, "key": key_text(type(instance), instance.pk), "kind": key.kind}
    fetch(using, _about(instance, "signal_deleted"), params)
    if not has_triggers(type(instance)):
        _orphan(instance, using, label)


def _orphan(instance: Model, using: str, label: str) -> None:
    """Record the files of a deleted instance, as far as it knows them."""
    for field in file_fields(type(instance)):
        name = str(getattr(instance, field.attname) or "")
        if name:
            params = {"model": label, "field": field.name, "name": name}
            fetch(using, statement(__file__, "signal_orphaned"), params)


def _about(instance: Model, name: str) -> str:
    """A statement that gives the instance's key the text that it has in the database."""
    key = key_of(type(instance))
    return statement(__file__, name, key=Placed(key.text(key.typed("%(key)s"))))
