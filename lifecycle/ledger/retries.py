"""Rows that could not end, tried again at once instead of after up to a day."""

from django.db import transaction

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import phrase


def try_again(event: int, using: str) -> int:
    """Have the rows of a `blocked` event due now; returns the event that lists them.

    What is in the way has to be gone by then, or they are blocked again, and tried after a minute,
    then two, as at first. Raises `LifecycleError` where the event's entry is not on the agenda any
    more, is a window's, or a worker is at it. In the caller's transaction, if there is one.
    """
    with transaction.atomic(using=using):
        ((listed,),) = fetch(using, statement(__file__, "retry"), {"event": event})
    if listed is None:
        raise LifecycleError(
            phrase(
                "Event %(event)s lists no blocked rows any more, or a worker is at them: "
                "look again.",
                event=event,
            )
        )
    return int(listed)
