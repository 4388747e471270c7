"""Notify."""

from typing import TYPE_CHECKING, Any

from django.db import transaction

from lifecycle import signals
from lifecycle.db.connection import scalar, statement

if TYPE_CHECKING:
    from purge.batch.state import Batch


def last_event(batch: "Batch") -> int:
    """The ledger's latest number now; only asked for when a receiver wants to know."""
    if not signals.purged.has_listeners(batch.policy.model):
        return 0
    return latest_event(batch.using)


def latest_event(using: str) -> int:
    """The ledger's latest number now."""
    return int(scalar(using, statement(__file__, "last_event")))


def send(batch: "Batch", signal: Any, events: list[int], count: int) -> None:
    """Tell receivers of a signal, when the batch has committed."""
    told = {"policy": batch.policy.name, "events": events, "count": count}
    tell = lambda: signal.send_robust(batch.policy.model, **told)  # noqa: E731
    if not batch.dry:
        transaction.on_commit(tell, using=batch.using, robust=True)
