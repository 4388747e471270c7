"""Checks of policies that go by windows."""

from typing import Any

from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, UniqueConstraint

from lifecycle.checks.messages import error, warning
from lifecycle.compiler.windows import counts_only, is_windowed
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of


def window_is_of_a_moment(policy: Policy) -> list[CheckMessage]:
    """E019: the field by which windows go is not a moment of the model's own table."""
    name = _name(policy)
    if name is None or isinstance(_own(policy, name), DateTimeField):
        return []
    text = f"Windows go by a DateTimeField of the model's own table, which {name!r} is not."
    return [error(19, text, "Use capture=Rows(), or name such a field.", policy)]


def window_has_an_index(policy: Policy) -> list[CheckMessage]:
    """W029: nothing but a reading of the whole table finds the rows of a window."""
    name = _name(policy)
    field = _own(policy, name) if name else None
    if field is None or field.name in _indexed(policy.model._meta.concrete_model):
        return []
    text = f"No index begins with {field.name!r}: each batch of a window reads the whole table."
    hint = f"Add Meta.indexes = [models.Index(fields=[{field.name!r}])], or db_index=True."
    return [warning(29, text, hint, policy)]


def secrets_stay_secret(policy: Policy) -> list[CheckMessage]:
    """E034: of two policies on a table one keeps its keys out of the ledger, the other does not."""
    if not policy.capture.record_subjects or not counts_only(policy.model):
        return []
    names = [p.name for p in policies_of(policy.model) if not p.capture.record_subjects]
    text = f"{names[0]!r} keeps the keys of this table out of the ledger, this one does not."
    hint = "Give both capture=Window(..., record_subjects=False), or none."
    return [error(34, text, hint, policy)]


def _name(policy: Policy) -> str | None:
    aged = age_of(policy.expires) if is_windowed(policy) else None
    return aged[0] if aged else None


def _own(policy: Policy, name: str) -> Any:
    concrete: Any = policy.model._meta.concrete_model
    try:
        field = concrete._meta.get_field(name)
    except FieldDoesNotExist:
        return None  # reported by E005
    return field if field in concrete._meta.local_concrete_fields else None


def _indexed(model: Any) -> set[str]:
    """The fields with which an index begins, as the model declares them."""
    fields = model._meta.local_concrete_fields
    leading = {field.name for field in fields if field.db_index or field.unique}
    indexed = [index.fields for index in model._meta.indexes if index.condition is None]
    unique = [c for c in model._meta.constraints if isinstance(c, UniqueConstraint)]
    indexed += [list(each.fields) for each in unique if each.condition is None]
    return leading | {names[0].lstrip("-") for names in indexed if names}


WINDOWS = (window_is_of_a_moment, window_has_an_index, secrets_stay_secret)
