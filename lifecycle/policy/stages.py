"""Several ends of the same rows, one after the other: emptied first, deleted later."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import reduce
from itertools import chain, pairwise
from operator import and_, or_
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db.models import BooleanField, F, JSONField, Model, Q, Value
from django.db.models.expressions import BaseExpression, Combinable
from django.db.models.functions import Cast, Now
from django.db.models.lookups import IsNull

from lifecycle.exceptions import PolicyError, did_you_mean
from lifecycle.policy.dispositions import Archive, Disposition, Purge, Update
from lifecycle.policy.groups import KeepNewest
from lifecycle.policy.policy import OPTIONS, Policy

#: options of one stage; all others are of all of them
OWN = (
    "keep_while", "notice", "recheck", "cap_rows", "cap_fraction", "batch_rows", "purge_hours",
    "observe_first", "previously", "basis",
)  # fmt: skip
MADE = ("expires", "disposition", "on_request")  # what `Stages` says itself


class Stage:
    """One end: what happens to a row so long after the moment from which all periods count.

    name         lower-case words; with the name of the `Stages` before it, its policy's name
    after        the period, longer than that of the stage before
    disposition  `Update(...)`; of the last also `Purge()`, which is the default, or `Archive(...)`
    options      of its policy alone: `keep_while`, `notice`, `recheck`, `cap_rows`,
                 `cap_fraction`, `batch_rows`, `purge_hours`, `observe_first`, `previously`,
                 `basis`
    """

    def __init__(
        self, name: str, after: timedelta, disposition: Disposition | None = None, **options: Any
    ) -> None:
        for each in options.keys() - set(OWN):
            hint = did_you_mean(each, OWN, f" Options: {', '.join(OWN)}.")
            raise PolicyError(f"Stage {name!r} has no option {each!r} of its own.{hint}")
        if not isinstance(after, timedelta) or after < timedelta(0):
            raise PolicyError(f"Stage {name!r}: after must be a timedelta, not {after!r}.")
        self.name, self.after, self.options = name, after, options
        self.disposition = Purge() if disposition is None else disposition

    @property
    def stays(self) -> bool:
        """Whether rows are there afterwards."""
        return isinstance(self.disposition, Update)


class Staged(Policy):
    """The policy of one stage. `place` is which it is of its stages, from 0."""

    stages: "Stages | None" = None
    place: int = 0


class Stages:
    """A policy with several ends, each a policy of its own: the row is there until the last.

    name       before that of each stage, with a hyphen, it is the name of a policy
    model      whose rows end
    stages     two or more, the earliest first
    since      the field that all periods count from; a row in which it is NULL never ends
    when       which rows can end
    grace      between tombstone and purge, of a last stage that deletes
    previously the name of the `Stages` before it was renamed
    options    of `Policy`, for each stage that does not say otherwise

    A stage that updates takes the rows that do not have yet what it sets: each once, and again
    where somebody has written something else into such a column since. Each stage acts for itself:
    one that is paused or blocked stops no other, but for a last one that archives: it takes only
    rows that have all that the stages before set. A hold on a row, and a restore, are of all of
    them. Raises `PolicyError`; what needs the model's fields is told by `manage.py check`.
    """

    def __init__(
        self, name: str, model: type[Model], *stages: Stage, since: str, when: Q | None = None,
        grace: Any = timedelta(0), previously: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.name, self.model, self.stages, self.since = name, model, stages, since
        self.when, self.grace = Q() if when is None else when, grace
        self._validate(options)
        self.policies = tuple(
            self._policy(place, options, previously) for place in range(len(stages))
        )

    def __repr__(self) -> str:
        return f"<Stages {self.name} on {self.model._meta.label}>"

    def _validate(self, options: Mapping[str, Any]) -> None:
        why = next(chain(self._shapeless(options), self._disordered()), None)
        if why:
            raise PolicyError(f"Stages {self.name!r}: {why}.")

    def _shapeless(self, options: Mapping[str, Any]) -> Iterator[str]:
        if len(self.stages) < 2 or not all(isinstance(each, Stage) for each in self.stages):
            yield "it takes two or more of Stage(...)"
        for name in options:
            if name not in OPTIONS or name in MADE:
                yield f"it has no option {name!r}"
        if not isinstance(self.since, str) or not self.since:
            yield "since is the name of a field"
        if not isinstance(self.when, Q):
            yield "when must be a Q"

    def _disordered(self) -> Iterator[str]:
        """What of its stages cannot follow upon each other."""
        names = [each.name for each in self.stages]
        for name in names:
            if names.count(name) > 1:
                yield f"two of them are named {name}"
        for before, after in pairwise(self.stages):
            if before.after >= after.after:
                yield f"{after.name} must come later than {before.name}"
            if not before.stays:
                yield f"{before.name} deletes, so nothing comes after it"
        if self.stages[-1].stays and self.grace:
            yield f"{self.stages[-1].name} updates: no grace follows"

    def _policy(self, place: int, shared: Mapping[str, Any], previously: str | None) -> Staged:
        stage = self.stages[place]
        options = {**shared, **stage.options}
        if previously is not None:
            options.setdefault("previously", f"{previously}-{stage.name}")
        if stage.stays:
            self._refuse_groups(stage, options.get("keep_while"))
            options["when"] = self.when & _unlike(stage.disposition)
        else:
            options |= {"when": self.when & self._emptied(stage), "grace": self.grace}
        policy = Staged(
            f"{self.name}-{stage.name}", self.model, expires=F(self.since) + stage.after,
            disposition=stage.disposition, **options,
        )  # fmt: skip
        policy.stages, policy.place = self, place
        return policy

    def _emptied(self, last: Stage) -> Q:
        """Which rows may be archived: those that no stage before would change. Others may go."""
        if not isinstance(last.disposition, Archive):
            return Q()
        return reduce(and_, [~_unlike(each.disposition) for each in self.stages[:-1]])

    def _refuse_groups(self, stage: Stage, keep: Any) -> None:
        """Such a condition counts rows that match `when`, which those updated no longer do."""
        for each in keep.values() if isinstance(keep, Mapping) else [keep]:
            if isinstance(each, KeepNewest):
                rule = f"{type(each).__name__}()"
                why = f"{stage.name} updates, so that its rows cannot be counted by {rule}"
                raise PolicyError(f"Stages {self.name!r}: {why}.")


def stages_of(policy: Policy) -> "Stages | None":
    """What the policy is a stage of."""
    return policy.stages if isinstance(policy, Staged) else None


def when_of(policy: Policy) -> Q:
    """Which rows it is about, as the site has said; of a stage that of all its stages."""
    stages = stages_of(policy)
    return policy.when if stages is None else stages.when


def in_turn(policy: Policy | None, name: str) -> tuple[str, int]:
    """An order of policies by name in which later stages come first, and before an archive all.

    What is deleted need not be emptied before; an archive would keep what was to be emptied.
    """
    stages = stages_of(policy) if policy else None
    if stages is None or not isinstance(policy, Staged):
        return name, 0
    archives = isinstance(stages.policies[-1].disposition, Archive)
    return stages.policies[0].name, policy.place if archives else -policy.place


def _unlike(disposition: Any) -> Q:
    """The rows that an `Update` would change."""
    return reduce(or_, [_differs(name, value) for name, value in disposition.values.items()])


def _differs(name: str, value: Any) -> Q:
    """Whether a column has another value. What it is to say when, it says as soon as it has any."""
    if _is_json_null(value):  # which is no NULL: a column that has it has a value
        return ~Q(**{name: value})
    value = value.value if isinstance(value, Value) else value
    if value is None or isinstance(value, Now | TransactionNow):
        return Q(**{f"{name}__isnull": value is not None})
    if isinstance(value, Q):  # may be NULL, too; `Cast` puts it in parentheses
        value = Cast(value, BooleanField())  # type: ignore[arg-type]
    if not isinstance(value, BaseExpression | Combinable):
        return ~Q(**{name: value})
    empty, full = Q(**{f"{name}__isnull": True}), Q(**{f"{name}__isnull": False})
    known, unknown = Q(IsNull(value, False)), Q(IsNull(value, True))
    return (full & known & ~Q(**{name: value})) | (empty & known) | (full & unknown)


def _is_json_null(value: Any) -> bool:
    """Whether it is `Value(None, JSONField())`, with which Django writes `null` of JSON."""
    if not isinstance(value, Value) or value.value is not None:
        return False
    return isinstance(vars(value).get("output_field"), JSONField)  # as given; none can be deduced
