"""Stopping a policy, and telling people."""

from typing import TYPE_CHECKING

from django.db import transaction

from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import fetch, statement
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy
from purge.alerts import watch as alerts
from purge.exceptions import Halt
from purge.models import Alert, Run

if TYPE_CHECKING:
    from purge.passes.options import PassOptions


log = Log("purge")


def halt(policy: Policy, why: Halt, how: "PassOptions", run: Run) -> None:
    """Stop a policy until a named person resumes it, and tell the site's admins.

    One halt for a policy, whichever worker comes first; nothing where a person has stopped it.
    """
    run.error = f"halted: {why.cause}"
    if how.dry:
        return
    with transaction.atomic(using=how.using):
        params = {"policy": policy.name, "cause": why.cause, "run": run.pk}
        halted = fetch(how.using, statement(__file__, "halt"), params)
        if halted:
            _keep(policy, why, how.using, run, halted[0][0])
    if not halted:
        return
    told = {"policy": policy.name, "database": how.using, "model": label_of(policy)}
    text = f"{policy.name}: halted: {why}"
    log("halted", text, **told, cause=why.cause, run=run.pk, event=halted[0][0])
    alerts.tell(how.using)


def _keep(policy: Policy, why: Halt, using: str, run: Run, event: int) -> None:
    """In the transaction that halts: a worker killed right after it is told of by another."""
    fetch(using, statement(__file__, "alert_again"), {"policy": policy.name})
    told = {"policy": policy.name, "model": label_of(policy), "cause": why.cause, "count": 0}
    kind = Alert.Kind.HALTED
    alerts.opened(using, **told, kind=kind, event=event, said=str(why), run=run.pk)
