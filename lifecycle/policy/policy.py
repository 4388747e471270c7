"""The declaration of a policy: which rows end, when, after which grace, and how."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F, Model, Q
from django.db.models.expressions import BaseExpression, Combinable

from lifecycle.exceptions import PolicyError, did_you_mean
from lifecycle.policy.capture_modes import Capture, Rows, Window
from lifecycle.policy.dispositions import Archive, Disposition, Purge
from lifecycle.policy.fixed_age import age_of

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_LENGTH = 40

OPTIONS: dict[str, Any] = {
    "when": Q(),
    "expires": None,
    "grace": timedelta(0),
    "keep_while": None,
    "recheck": timedelta(days=1),
    "disposition": Purge(),
    "capture": Rows(),
    "identity": None,
    "cap_rows": 10_000,
    "cap_fraction": 0.10,
    "resolution": timedelta(seconds=1),
    "batch_rows": 10_000,
    "purge_hours": None,
    "holds": "engine",
    "on_request": False,
    "previously": None,
}


class Policy:
    """When the rows of a model come to the end of their life, and what happens then.

    name          lower-case words joined by hyphens, unique in the site; the ledger's name for it
    model         a concrete model on PostgreSQL, or a proxy of somebody else's model
    when          Q over the table's own columns: only rows that match can end. Default: all rows
    expires       the moment a row ends: an expression over its own columns; NULL means never
    grace         time between tombstone and purge: a timedelta or an expression. Default: none;
                  where an expression gives NULL, the row stays until it gives a time
    keep_while    condition, which may span relations, that keeps a due row while it is true; or
                  several by name, any of which keeps it: a one-time override may name those that
                  count
    recheck       how often a kept or held row is looked at again. Default: 1 day
    disposition   `Purge()` (default), `Archive(prefix, ...)` or `Update(column=value, ...)`
    capture       `Rows()` (default: triggers), `Window(...)` or `Signals()`
    identity      fields that tell a row from a later one under the same key; they never change.
                  Default: a UUID key, or the key and the first `auto_now_add` field
    cap_rows, cap_fraction
                  brake: at most this many rows, or this share of the table, whichever is larger,
                  in any 24 hours; one row more halts the policy before the first row goes
    resolution    due times are recorded rounded up to this. Default: 1 second
    batch_rows    most rows in one transaction. Default: 10,000
    purge_hours   hours of the site's clock in which rows may go, as `(22, 6)`: at others they are
                  only tombstoned. Default: the setting LIFECYCLE_PURGE_HOURS, else all
    holds         whom a hold stops: `"engine"` (default), or `"enforced"`: the host's own DELETE
                  too, by an error of the database
    on_request    rows end only by `purge.erase()` or `expire_now()`; takes no `expires`
    previously    the policy's name before it was renamed

    Options are validated here, before anything is registered; a wrong one raises `PolicyError`.
    What needs the model's tables (joins, volatile functions) is told by `manage.py check`.
    """

    when: Q
    expires: Any
    grace: Any
    keep_while: Any
    recheck: timedelta
    disposition: Disposition
    capture: Capture
    identity: tuple[str, ...]
    cap_rows: int
    cap_fraction: float
    resolution: timedelta
    batch_rows: int
    purge_hours: tuple[int, int] | None
    holds: str
    on_request: bool
    previously: str | None

    def __init__(self, name: str, model: type[Model], **options: Any) -> None:
        self.name, self.model = name, model
        _refuse_unknown(name, options)
        for option, default in OPTIONS.items():
            setattr(self, option, options.get(option, default))
        _validate(self)
        if isinstance(self.expires, str):
            self.expires = F(self.expires)
        declared = default_identity(model) if self.identity is None else self.identity
        self.identity = tuple(declared)

    def __repr__(self) -> str:
        return f"<Policy {self.name} on {self.model._meta.label}>"


def default_identity(model: type[Model]) -> Sequence[str]:
    """A UUID key; otherwise the key and the table's first `auto_now_add` field.

    Without either there is none: nothing tells a row from a later one under its key.
    """
    own: Any = model._meta.concrete_model._meta  # type: ignore[union-attr]
    if own.pk.get_internal_type() == "UUIDField":
        return ("pk",)
    stamped = [f.name for f in own.local_concrete_fields if getattr(f, "auto_now_add", False)]
    return ("pk", stamped[0]) if stamped else ()


def _refuse_unknown(name: str, options: dict[str, Any]) -> None:
    for option in options:
        if option not in OPTIONS:
            hint = did_you_mean(option, OPTIONS, f" Options: {', '.join(OPTIONS)}.")
            raise PolicyError(f"Policy {name!r} has no option {option!r}.{hint}")


def _validate(policy: Policy) -> None:
    for option, accepts, wanted in RULES:
        value = getattr(policy, option)
        if not accepts(value):
            raise PolicyError(f"Policy {policy.name!r}: {option} must be {wanted}, not {value!r}.")
    if policy.holds == "enforced" and not policy.capture.triggers:
        raise PolicyError(f"Policy {policy.name!r}: holds='enforced' needs triggers: Rows().")
    if policy.on_request and policy.expires is not None:
        raise PolicyError(f"Policy {policy.name!r}: on_request=True takes no `expires`.")
    if not policy.on_request and policy.expires is None:
        raise PolicyError(f"Policy {policy.name!r} needs `expires`, or on_request=True.")
    if isinstance(policy.capture, Window):
        _validate_window(policy)
    if isinstance(policy.disposition, Archive):
        _validate_archive(policy)


def _validate_archive(policy: Policy) -> None:
    parents = policy.model._meta.concrete_model._meta.parents  # type: ignore[union-attr]
    for wrong, why in (
        (parents, "its parents' columns are in other tables: they would go, and be in no archive"),
        (policy.on_request, "on_request=True ends rows at once, and an archive would keep them"),
        (
            policy.disposition.every and not isinstance(policy.capture, Window),  # type: ignore[attr-defined]
            "`every` needs capture=Window()",
        ),
        (
            policy.model._meta.get_parent_list(),
            "a part of the row is in the table of its parent, which an archive would not have",
        ),
    ):
        if wrong:
            raise PolicyError(f"Policy {policy.name!r}, Archive(): {why}.")


def _validate_window(policy: Policy) -> None:
    """What a window cannot do, for it knows its rows only by the table's own index."""
    for wrong, why in (
        (age_of(policy.expires) is None, "`expires` must be a field, or a field plus a timedelta"),
        (not isinstance(policy.grace, timedelta), "`grace` must be a timedelta"),
        (not policy.disposition.hides, "Update() needs Rows() or Signals()"),
        (policy.resolution != OPTIONS["resolution"], "a window is its own `resolution`"),
        (policy.identity and not policy.capture.record_subjects, "without keys no `identity`"),
    ):
        if wrong:
            raise PolicyError(f"Policy {policy.name!r}, capture=Window(): {why}.")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(NAME.fullmatch(value)) and len(value) <= NAME_LENGTH


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Model) and not value._meta.abstract


def _is_expression(value: Any) -> bool:
    return isinstance(value, str | Combinable | BaseExpression)


def _is_condition(value: Any) -> bool:
    return isinstance(value, Q) or getattr(value, "conditional", False)


def _keeps(value: Any) -> bool:
    if not isinstance(value, dict):
        return _is_condition(value)
    return bool(value) and all(_is_name(name) and _is_condition(v) for name, v in value.items())


def _is_duration(value: Any) -> bool:
    return isinstance(value, timedelta) and value > timedelta(0)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_grace(value: Any) -> bool:
    return value >= timedelta(0) if isinstance(value, timedelta) else _is_expression(value)


def is_hours(value: Any) -> bool:
    """Whether a value gives hours of the day: from which, until before which."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    whole = all(isinstance(hour, int) and not isinstance(hour, bool) for hour in value)
    return whole and 0 <= value[0] <= 23 and 0 <= value[1] <= 24 and value[0] != value[1]


HOLDS = ("engine", "enforced")
HOURS = "two different hours of the day, as (22, 6)"
WORDS = f"lower-case words joined by hyphens, at most {NAME_LENGTH} characters"


def _is_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


RULES = (
    ("name", _is_name, WORDS),
    ("model", _is_model, "a concrete model class"),
    ("when", lambda v: isinstance(v, Q), "a Q"),
    ("expires", lambda v: v is None or _is_expression(v), "a field name or an expression"),
    ("grace", _is_grace, "a timedelta of zero or more, or an expression"),
    (
        "keep_while",
        lambda v: v is None or _keeps(v),
        "a Q, an Exists(), or some by name",
    ),
    ("recheck", _is_duration, "a positive timedelta"),
    ("disposition", lambda v: isinstance(v, Disposition), "Purge(), Archive(...) or Update(...)"),
    ("capture", lambda v: isinstance(v, Capture), "Rows(), Window() or Signals()"),
    ("identity", lambda v: v is None or _is_names(v), "a list of field names"),
    ("cap_rows", _is_count, "a whole number above zero"),
    ("cap_fraction", lambda v: isinstance(v, int | float) and 0 <= v <= 1, "between 0 and 1"),
    ("resolution", _is_duration, "a positive timedelta"),
    ("batch_rows", _is_count, "a whole number above zero"),
    ("purge_hours", lambda v: v is None or is_hours(v), HOURS),
    ("holds", lambda v: v in HOLDS, "'engine' or 'enforced'"),
    ("on_request", lambda v: isinstance(v, bool), "True or False"),
    ("previously", lambda v: v is None or _is_name(v), WORDS),
)
