"""What may not go along: rows that are held, rows that a policy archives before they go, and rows
that were written since somebody planned the end of others."""

from functools import cached_property
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from lifecycle.compiler.key_expression import KeyText
from lifecycle.db.connection import fetch, statement
from lifecycle.models import RowException
from lifecycle.policy.dispositions import Archive
from lifecycle.policy.registry import all_policies, policies_of
from purge.batch.cascade.written import written
from purge.batch.state import Batch
from purge.exceptions import ArchivedBelow, HeldBelow, HeldMeanwhile, WrittenBelow

NAMED = 5  # rows that an event names


class CascadeBlockers:
    """Refuses sets of rows that would go along, when they are locked."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def may_block(self, model: Any) -> bool:
        """Whether rows of a model may be held, archived first or written since, as of now."""
        if self.batch.planned_at or policies_of(model):
            return True
        return model._meta.label_lower in self._known["key"]

    def refuse_new_holds(self, models: list[Any]) -> None:
        """Raise where rows of models that nothing could block are held since."""
        if models:
            del self._known
        if any(model._meta.label_lower in self._known["key"] for model in models):
            raise HeldMeanwhile

    def refuse(self, model: Any, rows: Any) -> None:
        """Raise where one of the rows, a queryset, is held, is to be archived first, or was written
        since their end was planned."""
        if held := self._held(model, rows):
            raise HeldBelow(held)
        for policy in policies_of(model):
            archives = isinstance(policy.disposition, Archive)
            if archives and (found := named(model, rows.filter(policy.when))):
                raise ArchivedBelow(found)
        self.refuse_written(model, rows)

    def refuse_written(self, model: Any, rows: Any) -> None:
        """Raise where one of the rows was written since their end was planned."""
        since = self.batch.planned_at
        if since and (found := named(model, written(rows, since, self.batch.using))):
            raise WrittenBelow(found)

    def _held(self, model: Any, rows: Any) -> list[Any]:
        label, names = model._meta.label_lower, {policy.name for policy in policies_of(model)}
        if names & self._known[""]:
            return named(model, rows)
        if label not in self._known["key"]:
            return []
        held = self._holds.filter(model=label, key=OuterRef("lc_text"))
        return named(model, rows.annotate(lc_text=KeyText("pk")).filter(Exists(held)))

    @property
    def _holds(self) -> Any:
        now = self.batch.now
        holds = RowException.objects.using(self.batch.using).filter(kind="hold")
        return holds.filter(Q(until=None) | Q(until__gt=now))

    @cached_property
    def _known(self) -> dict[str, set[str]]:
        """The policies that are held (`""`), and the models with holds on rows (`"key"`)."""
        params = {
            "policies": [policy.name for policy in all_policies()],
            "models": [model._meta.label_lower for model in apps.get_models()],
            "now": self.batch.now,
        }
        known: dict[str, set[str]] = {"": set(), "key": set()}
        for of, name in fetch(self.batch.using, statement(__file__, "with_holds"), params):
            known[of].add(name)
        return known


def named(model: Any, rows: Any) -> list[Any]:
    """The first of the rows, as instances that know only their key."""
    return [model(pk=key) for key in rows.values_list("pk", flat=True)[:NAMED]]
