"""Whether an archive that is being loaded was rewritten meanwhile without some rows."""

from typing import Any

from django.db import OperationalError, transaction

from lifecycle.db.connection import LOCK_NOT_AVAILABLE, fetch, sqlstate, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.registry import policies_of
from purge.archive.manifest import Manifest
from purge.archive.rewritten import rewritten_by


def refuse_rewritten(manifest: Manifest, model: Any, using: str) -> None:
    """Raise `LifecycleError` where it was, in the transaction of a batch: into the site's own table
    with a lock, so that it is not rewritten before what is loaded is committed, and seen."""
    names = [policy.name for policy in policies_of(model)] if model else []
    try:
        with transaction.atomic(using=using):
            if names:
                fetch(using, statement(__file__, "share_locks"), {"policies": names})
        # A later statement: it sees what was committed before the locks were there.
        found = rewritten_by(manifest.name, using)
    except OperationalError as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        raise LifecycleError("Somebody changes the policy at this moment: try again.") from error
    if found:
        raise LifecycleError(
            f"{manifest.name} was rewritten without some rows, by event {found}: no more is loaded."
        )
