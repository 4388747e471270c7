"""What may not go along: rows that are held, and rows that a policy archives before they go."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from lifecycle import dispositions
from lifecycle.models import LifecycleException
from lifecycle.registry import policies_of

from .errors import ArchivedBelow, HeldBelow

if TYPE_CHECKING:
    from .batch import Batch

NAMED = 5  # rows that an event names


class Barred:
    """Asks of each set of rows that would go along, when they are locked."""

    def __init__(self, batch: "Batch") -> None:
        self.batch = batch

    def refuse(self, model: Any, rows: Any) -> None:
        """Raise where one of the rows, a queryset, is held or is to be archived first."""
        if held := self._held(model, rows):
            raise HeldBelow(held)
        for policy in policies_of(model):
            archives = isinstance(policy.disposition, getattr(dispositions, "Archive", ()))
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
        holds = LifecycleException.objects.using(self.batch.using).filter(kind="hold")
        return holds.filter(Q(until=None) | Q(until__gt=now))

    @cached_property
    def _known(self) -> dict[str, set[str]]:
        """The policies that are held, and the models with rows that are."""
        found = self._holds.values_list("model", "policy", "key").order_by()
        whole = set(found.filter(key="").values_list("policy", flat=True).distinct())
        rows = set(found.exclude(key="").values_list("model", flat=True).distinct())
        return {"": whole, "key": rows}


def named(model: Any, rows: Any) -> list[Any]:
    """The first of the rows, as instances that know only their key."""
    return [model(pk=key) for key in rows.values_list("pk", flat=True)[:NAMED]]
