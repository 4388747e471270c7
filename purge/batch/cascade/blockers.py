"""What may not go along: rows that are held, and rows that a policy archives before they go."""

from functools import cached_property
from typing import Any

from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.functions import Cast

from lifecycle.models import RowException
from lifecycle.policy.dispositions import Archive
from lifecycle.policy.registry import policies_of
from purge.batch.state import Batch
from purge.exceptions import ArchivedBelow, HeldBelow, HeldMeanwhile

NAMED = 5  # rows that an event names


class CascadeBlockers:
    """Refuses sets of rows that would go along, when they are locked."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def may_block(self, model: Any) -> bool:
        """Whether rows of a model may be held or archived first, as of now."""
        return bool(policies_of(model)) or model._meta.label_lower in self._known["key"]

    def refuse_new_holds(self, models: list[Any]) -> None:
        """Raise where rows of models that nothing could block are held since."""
        if models:
            del self._known
        if any(model._meta.label_lower in self._known["key"] for model in models):
            raise HeldMeanwhile

    def refuse(self, model: Any, rows: Any) -> None:
        """Raise where one of the rows, a queryset, is held or is to be archived first."""
        if held := self._held(model, rows):
            raise HeldBelow(held)
        for policy in policies_of(model):
            archives = isinstance(policy.disposition, Archive)
            if archives and (found := named(model, rows.filter(policy.when))):
                raise ArchivedBelow(found)

    def _held(self, model: Any, rows: Any) -> list[Any]:
        label, names = model._meta.label_lower, {policy.name for policy in policies_of(model)}
        if names & self._known[""]:
            return named(model, rows)
        if label not in self._known["key"]:
            return []
        keys = self._holds.filter(model=label).exclude(key="").values("key")
        return named(model, rows.annotate(lc_text=Cast("pk", TextField())).filter(lc_text__in=keys))

    @property
    def _holds(self) -> Any:
        now = self.batch.now
        holds = RowException.objects.using(self.batch.using).filter(kind="hold")
        return holds.filter(Q(until=None) | Q(until__gt=now))

    @cached_property
    def _known(self) -> dict[str, set[str]]:
        """The policies that are held (`""`), and the models with rows that are (`"key"`)."""
        one = Case(When(key="", then=F("policy")), default=F("model"))
        of_rows = Case(When(key="", then=Value("")), default=Value("key"))
        found = self._holds.annotate(of=of_rows, name=one).values_list("of", "name")
        known: dict[str, set[str]] = {"": set(), "key": set()}
        for of, name in found.order_by().distinct():
            known[of].add(name)
        return known


def named(model: Any, rows: Any) -> list[Any]:
    """The first of the rows, as instances that know only their key."""
    return [model(pk=key) for key in rows.values_list("pk", flat=True)[:NAMED]]
