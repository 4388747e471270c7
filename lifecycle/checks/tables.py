"""Checks of the table a policy stands on: whether a trigger can be put there, and by whom."""

from typing import Any

from django.core.checks import CheckMessage

from lifecycle.checks import policy_query
from lifecycle.checks.messages import error, warning
from lifecycle.compiler.keys import key_of
from lifecycle.policy.packages import is_installed, migrations_of, proxy_of
from lifecycle.policy.policy import Policy


def simple_key(policy: Policy) -> list[CheckMessage]:
    """E011: a key of several columns or an array, which the ledger has no type for."""
    if not policy_query.has_composite_key(policy):
        if not key_of(policy.model).db_type.endswith("]"):
            return []
        text = "The ledger lists keys in arrays, and this model's key is an array itself."
        return [error(11, text, "Give the model a key of one value and a unique array.", policy)]
    text = "The ledger writes one key a row, this model has a CompositePrimaryKey."
    return [error(11, text, "Give the model a key of one column and a UniqueConstraint.", policy)]


def plain_table(policy: Policy) -> list[CheckMessage]:
    """E047 of a policy's tables."""
    return plainly_named(_models(policy), policy)


def plainly_named(models: list[Any], subject: Any) -> list[CheckMessage]:
    """E047: a `db_table` with quotes in it, by which Django writes a schema and a table."""
    quoted = [m for m in models if str(m._meta.db_table).startswith('"')]
    if not quoted:
        return []
    text = f"db_table of {quoted[0]._meta.label} has quotes in it: {quoted[0]._meta.db_table}."
    hint = "Triggers stand on tables of the ledger's schema: move the table there, name it plainly."
    return [error(47, text, hint, subject)]


def managed(policy: Policy) -> list[CheckMessage]:
    """E012: a table that Django does not manage gets no trigger by migrations."""
    if not policy.capture.triggers or all(m._meta.managed for m in _models(policy)):
        return []
    text = "The table is unmanaged: migrations put no trigger on it."
    return [error(12, text, "Use capture=Signals(), or managed=True.", policy)]


def has_migrations(policy: Policy) -> list[CheckMessage]:
    """W014: the app that owns the trigger has no migrations: a later trigger comes with none.

    A warning, because an error would stop the `makemigrations` that mends it.
    """
    labels = sorted({m._meta.app_label for m in _models(policy) if migrations_of(m) is None})
    if not policy.capture.triggers or not labels:
        return []
    text = f"The app {labels[0]!r} has no migrations, so no trigger can come with them."
    hint = f"Run `manage.py makemigrations {labels[0]}` once, or use capture=Signals()."
    return [warning(14, text, hint, policy)]


def own_migrations(policy: Policy) -> list[CheckMessage]:
    """E010: the trigger's migration would be written into an installed package."""
    foreign = [m for m in _models(policy) if is_installed(m)]
    if not policy.capture.triggers or not foreign:
        return []
    label = foreign[0]._meta.label
    text = f"{label} is of an installed package: the trigger's migration would be written there."
    return [error(10, text, f"{proxy_of(foreign[0])}\n\nand declare the policy on it.", policy)]


def _models(policy: Policy) -> list[Any]:
    """The models whose apps get triggers of this policy: its own, then its parents."""
    parents = policy.model._meta.concrete_model._meta.get_parent_list()  # type: ignore[union-attr]
    return [policy.model, *parents]


TABLES = (simple_key, plain_table, managed, has_migrations, own_migrations)
