"""The declaration of a policy: which rows end, when, after which grace, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db.models import F, Field, IntegerField, Model, Q

from lifecycle.exceptions import PolicyError, did_you_mean
from lifecycle.policy import options as rules
from lifecycle.policy.capture_modes import Capture, Partitions, Rows, Window
from lifecycle.policy.dispositions import Archive, Disposition, Purge
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.groups import KeepNewest
from lifecycle.policy.notice import Notice
from lifecycle.policy.options import (
    CAPTURE,
    ENDING,
    Condition,
    Expression,
    option,
    options_of,
    or_none,
    required,
)

#: an identity: all columns of the table, as they were when the row ended
WHOLE_ROW = "*"


def _suggesting(policy_class: Any) -> Any:
    """Have `Policy()` answer a mistyped option with a suggestion."""
    init = policy_class.__init__

    @wraps(init)
    def suggesting(self: Any, *names: Any, **options: Any) -> None:
        for each in options.keys() - ARGUMENTS.keys():
            name = names[0] if names else options.get("name")
            hint = did_you_mean(each, OPTIONS, f" Options: {', '.join(OPTIONS)}.")
            raise PolicyError(f"Policy {name!r} has no option {each!r}.{hint}")
        init(self, *names, **options)

    policy_class.__init__ = suggesting
    return policy_class


@_suggesting
@dataclass(eq=False, repr=False)
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
                  count. `KeepNewest(n, per=...)` and `KeepOldest(...)` are conditions too
    notice        `Notice([...], to="email")`: mails before a row ends, without which it does not
    recheck       how often a kept or held row is looked at again. Default: 1 day
    disposition   `Purge()` (default), `Archive(prefix, ...)` or `Update(column=value, ...)`
    capture       `Rows()` (default: triggers), `Window(...)`, `Partitions()` or `Signals()`
    identity      fields that tell a row from a later one under the same key; they never change.
                  `["*"]`: the whole row as it ended. Default: the key and the first `auto_now_add`
                  field; the whole row where the key is a UUID, or comes from no sequence
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
    observe_first a new policy starts in `observe` on an empty table too, not only on one with rows
    previously    the policy's name before it was renamed
    basis         legal basis: why rows are kept so long, and end then. For people: in the admin and
                  in certificates; it decides nothing

    Options are validated here, before anything is registered; a wrong one raises `PolicyError`.
    What needs the model's tables (joins, volatile functions) is told by `manage.py check`.
    """

    name: str = field(metadata=required(rules.A_NAME))
    model: type[Model] = field(metadata=required(rules.A_MODEL))
    _: KW_ONLY
    when: Q = option(Q(), rules.A_Q, decides=CAPTURE, names_columns=True)
    expires: str | Expression | None = option(
        None, or_none(rules.A_MOMENT), decides=CAPTURE, names_columns=True
    )
    grace: timedelta | str | Expression = option(
        timedelta(0), rules.A_GRACE, decides=ENDING, names_columns=True
    )
    keep_while: Condition | Mapping[str, Condition] | None = option(
        None, or_none(rules.CONDITIONS), decides=ENDING, names_columns=True
    )
    notice: Notice | None = option(
        None, or_none(rules.A_NOTICE), decides=ENDING, names_columns=True
    )
    recheck: timedelta = option(timedelta(days=1), rules.A_DURATION)
    disposition: Disposition = option(Purge(), rules.A_DISPOSITION, decides=ENDING)
    capture: Capture = option(Rows(), rules.A_CAPTURE, decides=ENDING)
    identity: Sequence[str] = option(None, or_none(rules.FIELD_NAMES), decides=ENDING)
    cap_rows: int = option(10_000, rules.A_COUNT)
    cap_fraction: float = option(0.10, rules.A_SHARE)
    resolution: timedelta = option(timedelta(seconds=1), rules.A_DURATION, decides=CAPTURE)
    batch_rows: int = option(10_000, rules.A_COUNT)
    purge_hours: tuple[int, int] | None = option(None, or_none(rules.HOURS))
    holds: str = option("engine", rules.A_HOLD)
    on_request: bool = option(False, rules.A_BOOL, decides=CAPTURE)
    observe_first: bool = option(False, rules.A_BOOL)
    previously: str | None = option(None, or_none(rules.A_NAME))
    basis: str | None = option(None, or_none(rules.A_LINE))

    def __post_init__(self) -> None:
        _validate(self)
        if isinstance(self.expires, str):
            self.expires = F(self.expires)
        if self.identity is None:
            self.identity = default_identity(self.model, self.capture)
        self.identity = tuple(self.identity)
        self.keep_while = self._bound()

    def _bound(self) -> "Condition | Mapping[str, Condition] | None":
        """`keep_while`, with the fields by which rows of groups are counted."""

        def bound(each: Any) -> Any:
            known = isinstance(each, KeepNewest)
            place = (self.name, self.model, self.capture, self.on_request)
            return each.bound(*place) if known else each

        if isinstance(self.keep_while, dict):
            return {name: bound(each) for name, each in self.keep_while.items()}
        return bound(self.keep_while)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The conditions of `keep_while` by their names; none where they have no names."""
        return self.keep_while if isinstance(self.keep_while, dict) else {}

    def __repr__(self) -> str:
        return f"<Policy {self.name} on {self.model._meta.label}>"


ARGUMENTS = options_of(Policy)
#: the options by name, in their order: the one list that validates and enters fingerprints
OPTIONS = {name: each for name, each in ARGUMENTS.items() if name not in ("name", "model")}


def default_identity(model: type[Model], capture: Capture) -> Sequence[str]:
    """The key and the table's first `auto_now_add` field; the whole row under other keys.

    A site writes rows again under their UUID (an undo, an import), so that a stamp which such a
    write keeps is not enough there. Under an integer key without a stamp there is none: keys come
    from a sequence, and each row that ends would cost a hash. Only triggers see whole rows.
    """
    if isinstance(capture, Partitions):
        return ()
    own: Any = model._meta.concrete_model._meta  # type: ignore[union-attr]
    stamped = [f.name for f in own.local_concrete_fields if getattr(f, "auto_now_add", False)]
    sees_rows = capture.triggers and capture.record_subjects
    if own.pk.get_internal_type() == "UUIDField":
        return (WHOLE_ROW,) if sees_rows else ("pk",)
    if stamped:
        return ("pk", stamped[0])
    return (WHOLE_ROW,) if sees_rows and not _is_whole_number(own.pk) else ()


def _is_whole_number(key: "Field[Any, Any]") -> bool:
    while key.remote_field is not None:
        key = key.target_field  # type: ignore[attr-defined]
    return isinstance(key, IntegerField)


def _validate(policy: Policy) -> None:
    for name, each in ARGUMENTS.items():
        value = getattr(policy, name)
        if not each.rule.accepts(value):
            wanted = each.rule.wanted
            raise PolicyError(f"Policy {policy.name!r}: {name} must be {wanted}, not {value!r}.")
    if policy.holds == "enforced" and not policy.capture.triggers:
        raise PolicyError(f"Policy {policy.name!r}: holds='enforced' needs triggers: Rows().")
    if policy.on_request and policy.expires is not None:
        raise PolicyError(f"Policy {policy.name!r}: on_request=True takes no `expires`.")
    if not policy.on_request and policy.expires is None:
        raise PolicyError(f"Policy {policy.name!r} needs `expires`, or on_request=True.")
    if policy.notice and policy.on_request:
        raise PolicyError(f"Policy {policy.name!r}: on_request=True takes no `notice`.")
    if isinstance(policy.capture, Window):
        _validate_window(policy)
    if isinstance(policy.capture, Partitions):
        _validate_partitions(policy)
    if isinstance(policy.disposition, Archive):
        _validate_archive(policy)


def _validate_archive(policy: Policy) -> None:
    parents = policy.model._meta.concrete_model._meta.parents  # type: ignore[union-attr]
    every = policy.disposition.every  # type: ignore[attr-defined]
    reasons: list[tuple[Any, str]] = [
        (parents, "its parents' columns are in other tables: they would go, and be in no archive"),
        (policy.on_request, "on_request=True ends rows at once, and an archive would keep them"),
        (every and not isinstance(policy.capture, Window), "`every` needs capture=Window()"),
    ]
    _refuse_any(policy, "Archive()", reasons)


def _validate_window(policy: Policy) -> None:
    """What a window cannot do, for it knows its rows only by the table's own index."""
    reasons: list[tuple[Any, str]] = [
        (age_of(policy.expires) is None, "`expires` must be a field, or a field plus a timedelta"),
        (not isinstance(policy.grace, timedelta), "`grace` must be a timedelta"),
        (not policy.disposition.hides, "Update() needs Rows() or Signals()"),
        (policy.notice, "`notice` needs rows that the ledger names: Rows() or Signals()"),
        (policy.resolution != Policy.resolution, "a window is its own `resolution`"),
        (policy.identity and not policy.capture.record_subjects, "without keys no `identity`"),
    ]
    _refuse_any(policy, "capture=Window()", reasons)


def _validate_partitions(policy: Policy) -> None:
    """What cannot be of rows that end with their whole partition, which is dropped."""
    reasons: list[tuple[Any, str]] = [
        (age_of(policy.expires) is None, "`expires` must be a field, or a field plus a timedelta"),
        (not _is_age(policy), "the age that `expires` adds must be of zero to a thousand years"),
        (policy.grace != Policy.grace, "a partition goes at once: add the grace to `expires`"),
        (type(policy.disposition) is not Purge, "it is dropped, neither archived nor updated"),
        (policy.identity, "rows are counted, so they have no `identity`"),
        (policy.notice, "nobody can be warned of the end of a row that has no name: no `notice`"),
        (policy.resolution != Policy.resolution, "a partition is its own `resolution`"),
    ]
    _refuse_any(policy, "capture=Partitions()", reasons)


def _refuse_any(policy: Policy, what: str, reasons: list[tuple[Any, str]]) -> None:
    for wrong, why in reasons:
        if wrong:
            raise PolicyError(f"Policy {policy.name!r}, {what}: {why}.")


def _is_age(policy: Policy) -> bool:
    """Whether each bound of a partition, and this age, come to a date that PostgreSQL has."""
    _, age = age_of(policy.expires) or ("", timedelta(0))
    return timedelta(0) <= age <= timedelta(days=366_000)
