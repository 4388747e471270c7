"""Stopping a policy, and telling people."""

import logging
from typing import TYPE_CHECKING

from django.core.mail import mail_admins
from django.db import transaction

from lifecycle import signals
from lifecycle.db import fetch, statement
from lifecycle.policy import Policy

from .errors import Halt
from .models import Run

if TYPE_CHECKING:
    from .runner import Pass

logger = logging.getLogger("purge")


def halt(policy: Policy, why: Halt, how: "Pass", run: Run) -> None:
    """Stop a policy until a named person resumes it, and tell the site's admins.

    One halt for a policy, whichever worker comes first; nothing where a person has stopped it.
    """
    run.error = f"halted: {why.cause}"
    if how.dry:
        return
    with transaction.atomic(using=how.using):
        params = {"policy": policy.name, "cause": why.cause, "run": run.pk}
        halted = fetch(how.using, statement(__file__, "halt"), params)
    if not halted:
        return
    logger.error("halted", extra={"action": "halted", "policy": policy.name, "cause": why.cause})
    told = {"policy": policy.name, "events": [halted[0][0]], "count": 0}
    signals.halted.send_robust(policy.model, **told)
    _mail(policy, why)


def _mail(policy: Policy, why: Halt) -> None:
    text = (
        f"{why}\nNothing more of it ends until somebody runs\n"
        f"    manage.py lifecycle resume {policy.name} --actor NAME\n"
    )
    try:
        mail_admins(f"Retention policy {policy.name} halted", text)
    except Exception:
        # The policy is halted already; a mail server that is down must not stop the others.
        logger.exception("mail failed", extra={"action": "mail_failed", "policy": policy.name})
