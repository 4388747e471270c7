"""Checks of holds: whom they stop."""

from collections.abc import Iterator

from django.core.checks import CheckMessage

from lifecycle.checks.messages import warning
from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import fetch, statement
from lifecycle.policy.databases import is_at
from lifecycle.policy.registry import all_policies


def holds_that_the_site_passes(using: str) -> Iterator[CheckMessage]:
    """W115: rows of a table are held, and the site itself deletes rows of that table."""
    here = [policy for policy in all_policies() if is_at(policy.model, using)]
    open_to = {label_of(policy) for policy in here if policy.capture.triggers}
    open_to -= {label_of(policy) for policy in here if policy.holds == "enforced"}
    for (label,) in fetch(using, statement(__file__, "deleted_beside_holds")):
        if label in open_to:
            text = f"Rows of {label} are held, and the site itself deletes rows of that table."
            hint = 'Say holds="enforced" in a policy of the table: then no held row can go.'
            yield warning(115, text, hint)
