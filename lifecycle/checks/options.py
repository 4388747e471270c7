"""Checks of a policy's other options, and of policies against each other."""

from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist

from lifecycle.checks.messages import error, warning
from lifecycle.checks.policy_query import has_composite_key
from lifecycle.compiler.fingerprint import field_names
from lifecycle.compiler.keys import key_field
from lifecycle.policy.capture_modes import Signals
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import WHOLE_ROW, Policy
from lifecycle.policy.registry import all_policies

LONG = timedelta(days=30)
SECRETS = {"session_key", "key", "token", "secret"}


def predecessor_is_gone(policy: Policy) -> list[CheckMessage]:
    """E020: `previously` names a policy that is still declared."""
    if policy.previously is None or policy.previously not in {p.name for p in all_policies()}:
        return []
    text = f"`previously` names {policy.previously!r}, which is still declared."
    hint = "A policy takes over the agenda of one that is gone: remove that one, or `previously`."
    return [error(20, text, hint, policy)]


def one_successor(policy: Policy) -> list[CheckMessage]:
    """E021: two policies name the same predecessor."""
    others = [p.name for p in all_policies() if p.previously == policy.previously]
    others = [name for name in others if name != policy.name]
    if policy.previously is None or not others:
        return []
    text = f"{others[0]!r} also says that it was {policy.previously!r} before."
    return [error(21, text, "Only one policy can take over an agenda.", policy)]


def identity_is_known(policy: Policy) -> list[CheckMessage]:
    """E022: `identity` names what is not a column of the model's own table."""
    hint = "Name columns of the model's own table, 'pk', or '*' for the whole row."
    return [
        error(22, f"`identity` names {name!r}, which is no column of the table.", hint, policy)
        for name in policy.identity
        if name not in ("pk", WHOLE_ROW) and not _is_own_column(policy, name)
    ]


def updates_columns(policy: Policy) -> list[CheckMessage]:
    """E023: `Update` sets what is not a column of the model's own table."""
    hint = "Set columns of the model's own table; a parent's columns need a policy on the parent."
    return [
        error(23, f"Update() sets {name!r}, which is no column of the table.", hint, policy)
        for name in _updated(policy)
        if not _is_own_column(policy, name)
    ]


def updates_no_key(policy: Policy) -> list[CheckMessage]:
    """E024: `Update` sets the primary key."""
    keys = [n for n in _updated(policy) if n == "pk" or _is_key(_column(policy, n))]
    hint = "The ledger knows a row by its key, which has to stay."
    return [error(24, f"Update() sets the primary key {name!r}.", hint, policy) for name in keys]


def update_ends(policy: Policy) -> list[CheckMessage]:
    """W025: nothing that `Update` sets decides whether the row would be updated again."""
    values = {} if policy.on_request else _updated(policy)
    named = field_names(policy.when) | field_names(policy.expires)
    if not values or named & {*values, *_attnames(policy, values)}:
        return []
    text = "Update() sets no field that `when` or `expires` names: the row would match again."
    hint = "It halts at its first row. Add, for example, active=False and when=Q(active=True)."
    return [warning(25, text, hint, policy)]


def sees_all_writes(policy: Policy) -> list[CheckMessage]:
    """W026: `capture=Signals()` misses writes."""
    if not isinstance(policy.capture, Signals):
        return []
    text = f"capture=Signals() is blind to {', '.join(Signals.blind_to)}."
    hint = "Prefer triggers; where none may be put, silence this id in SILENCED_SYSTEM_CHECKS."
    return [warning(26, text, hint, policy)]


def rechecks_soon_enough(policy: Policy) -> list[CheckMessage]:
    """W027: a kept or held row would be evaluated very seldom."""
    if policy.recheck <= LONG:
        return []
    text = f"A kept row is looked at again only after {policy.recheck.days} days."
    return [warning(27, text, "A `recheck` of a day costs little.", policy)]


def key_is_no_secret(policy: Policy) -> list[CheckMessage]:
    """W028: the primary key opens something, and the ledger lists rows by their keys."""
    if has_composite_key(policy) or key_field(policy.model).name not in SECRETS:
        return []
    if not policy.capture.record_subjects:
        return []
    text = f"The key {key_field(policy.model).name!r} looks like a secret; the ledger lists it."
    hint = "Use capture=Window(..., record_subjects=False), or give lifecycle.view_event to few."
    return [warning(28, text, hint, policy)]


def _updated(policy: Policy) -> dict[str, Any]:
    return policy.disposition.values if isinstance(policy.disposition, Update) else {}


def _column(policy: Policy, name: str) -> Any:
    try:
        field = policy.model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if getattr(field, "column", None) else None


def _is_own_column(policy: Policy, name: str) -> bool:
    if name == "pk":
        return True  # reported by E024
    own = policy.model._meta.concrete_model._meta.local_concrete_fields  # type: ignore[union-attr]
    return _column(policy, name) in own


def _is_key(field: Any) -> bool:
    return bool(field is not None and field.primary_key)


def _attnames(policy: Policy, names: Any) -> set[str]:
    fields = [_column(policy, name) for name in names]
    return {field.attname for field in fields if field is not None}


OPTIONS = (
    predecessor_is_gone,
    one_successor,
    identity_is_known,
    updates_columns,
    updates_no_key,
    update_ends,
    sees_all_writes,
    rechecks_soon_enough,
    key_is_no_secret,
)
