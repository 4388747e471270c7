"""What an erasure leaves beside its events: its run, and its line in the log."""

from typing import TYPE_CHECKING

from django.db import transaction

from lifecycle.ledger.context import said
from lifecycle.logs import Log
from purge.models import Run

if TYPE_CHECKING:
    from purge.batch.state import Batch


log = Log("purge")


def start_run(batch: "Batch") -> None:
    """A run of its own, in the erasure's transaction: what is refused leaves none."""
    if not batch.dry:
        run = Run(policy=batch.policy.name, started_at=batch.now, last_batch_at=batch.now)
        run.origin, run.actor = "erase", said("actor", batch.using)
        run.save(using=batch.using)
        batch.run = run.pk


def finish_run(batch: "Batch") -> None:
    """It is over when the batch is."""
    if batch.run:
        Run.objects.using(batch.using).filter(pk=batch.run).update(finished_at=batch.now)


def tell(batch: "Batch", event: int) -> None:
    """The log hears of it when it is committed; neither the reference nor the key."""
    told = {"policy": batch.policy.name, "database": batch.using, "run": batch.run}
    told |= {"model": batch.label, "event": event}
    if not batch.dry:
        text = f"{batch.policy.name}: erased on request, event {event}"
        transaction.on_commit(lambda: log("erased", text, **told), using=batch.using)
