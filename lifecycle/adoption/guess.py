"""A policy for a table of the site's own, guessed by the names of its fields.

A guess knows nothing of what rows are for. So it says by which field it was made, its policy only
observes, and where a table is one that others refer to there is none.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import CompositePrimaryKey, DateField, F, ForeignObjectRel, Q

from lifecycle.compiler.policy_sql import compiled
from lifecycle.policy.policy import Policy

EXPIRES = ("expires_at", "expires", "expire_at", "expire_date", "expiry", "expiry_date",
           "expires_on", "expiration", "expiration_date", "valid_until", "valid_to")  # fmt: skip
DELETED = ("deleted_at", "removed_at", "deleted_on", "deleted", "is_deleted_at", "trashed_at")
MADE = ("created_at", "created", "created_on", "date_created", "creation_date", "timestamp",
        "added_at", "inserted_at", "logged_at", "occurred_at", "sent_at", "date")  # fmt: skip
PASSING = re.compile(
    r"(log|event|audit|histor|notif|session|token|attempt|visit|webhook|deliver|import|export|"
    r"job|task|request|ping|metric|hit|click|view)s?", re.I,
)  # fmt: skip
LONGEST = 40  # signs of a policy's name
OF_THE_DELETED, OF_A_LOG, OF_OTHERS = (timedelta(days=days) for days in (30, 365, 1095))


@dataclass(frozen=True)
class Guess:
    """A policy, if there is one; why it is this one, or none; the declaration as text."""

    reason: str
    policy: Policy | None = None
    text: str = ""


def guess(model: Any) -> Guess:
    """What the names of the model's fields suggest."""
    if not model._meta.managed or isinstance(model._meta.pk, CompositePrimaryKey):
        return Guess("no policy can stand on it as it is: it is unmanaged, or has a composite key")
    if field := _first(model, EXPIRES):
        return _made(model, field, timedelta(0), f"`{field}` says when a row ends")
    if (field := _first(model, DELETED)) and model._meta.get_field(field).null:
        reason = f"rows with a `{field}` were given up by the site; 30 days are a guess"
        return _made(model, field, OF_THE_DELETED, reason)
    if others := _referring(model):
        return Guess(f"{', '.join(others)} refer to it: decide it together with them")
    field = _stamped(model) or _first(model, MADE)
    if field is None:
        return Guess("no field says when a row was made or ends")
    if PASSING.search(model.__name__):
        reason = f"by its name it is passing, made at `{field}`; a year is a guess"
        return _made(model, field, OF_A_LOG, reason)
    return _made(model, field, OF_OTHERS, f"made at `{field}`; three years are a guess")


def made_at(model: Any) -> str | None:
    """The field that says when a row was made, if one does."""
    return _stamped(model) or _first(model, MADE)


def _first(model: Any, names: tuple[str, ...]) -> str | None:
    dates = {f.name for f in model._meta.local_concrete_fields if isinstance(f, DateField)}
    return next((name for name in names if name in dates), None)


def _stamped(model: Any) -> str | None:
    fields = model._meta.local_concrete_fields
    return next((f.name for f in fields if getattr(f, "auto_now_add", False)), None)


def _referring(model: Any) -> list[str]:
    """The other models that have a key to this one, at most three of them."""
    relations = model._meta.get_fields(include_hidden=True)
    found = {r.related_model._meta.label for r in relations if isinstance(r, ForeignObjectRel)}
    others = sorted(found - {model._meta.label})
    return [*others[:3], *(["..."] if others[3:] else [])]


def _made(model: Any, field: str, age: timedelta, reason: str) -> Guess:
    is_deleted = age == OF_THE_DELETED
    policy = Policy(
        _name(model),
        model,
        when=Q(**{f"{field}__isnull": False}) if is_deleted else Q(),
        expires=F(field) + age if age else F(field),
        observe_first=True,
    )
    try:
        compiled(policy)
    except Exception as error:  # what the ORM raises for a field of some other sort
        return Guess(f"`{field}` cannot be gone by: {error}")
    return Guess(reason, policy, _text(policy, field, age, is_deleted))


def _name(model: Any) -> str:
    """No two models have the same: what is cut, or has other signs, ends with a part of a hash."""
    label = model._meta.label_lower
    name = "-".join(["guess", *re.findall("[a-z0-9]+", label)])
    if len(name) <= LONGEST and name == f"guess-{label}".replace(".", "-"):
        return name
    return f"{name[: LONGEST - 7].rstrip('-')}-{hashlib.sha256(label.encode()).hexdigest()[:6]}"


def _text(policy: Policy, field: str, age: timedelta, is_deleted: bool) -> str:
    """The declaration, as the formatter would leave it."""
    lines = [
        f'"{policy.name}"',
        f'apps.get_model("{policy.model._meta.label}")',
        *([f"when=Q({field}__isnull=False)"] if is_deleted else []),
        f'expires=F("{field}") + timedelta(days={age.days})' if age else f'expires="{field}"',
        "observe_first=True",
    ]
    inside = "".join(f"        {line},\n" for line in lines)
    return f"register(\n    Policy(\n{inside}    )\n)"
