"""A hold that is to end at a moment to come: what has to be placed anew in its stead."""

from datetime import datetime
from typing import NamedTuple

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import phrase


class Shortened(NamedTuple):
    """Reason and reference of a hold, and the keys that it still holds; none of one on a policy."""

    reason: str
    reference: str
    keys: list[str]


def shortened(number: int, using: str, key: str | None, at: datetime) -> Shortened:
    """What a hold holds, or the one row of it; `LifecycleError` where it ends before `at`."""
    if at <= scalar(using, "SELECT lifecycle.now_v1()"):
        raise LifecycleError(phrase("The moment of a later release must be to come."))
    text = statement(__file__, "held")
    until, *kept = fetch(using, text, {"event": number, "key": key})[0]
    if until is not None and until <= at:
        raise LifecycleError(phrase("Hold %(number)s ends before that by itself.", number=number))
    return Shortened(*kept)
