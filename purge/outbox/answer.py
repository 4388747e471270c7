"""`acknowledge`: a copy elsewhere is gone too."""

import uuid

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.databases import served


def acknowledge(token: str) -> bool:
    """Say that what a subscriber was told of by this token is done. Whether it was open.

    Saying so twice does no harm. In the database that has it, in the caller's transaction if there
    is one. Raises `LifecycleError` where it is no token.
    """
    try:
        number = str(uuid.UUID(str(token)))
    except ValueError:
        raise LifecycleError("acknowledge() takes the token that a subscriber was given.") from None
    text = statement(__file__, "answer")
    return any(bool(fetch(using, text, {"token": number})) for using in served())
