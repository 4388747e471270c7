"""What a replica has replayed: heads are published for nothing that a failover to it would lose.

Without it, losing the last second of an asynchronous primary is the alarm `restored`.
"""

from typing import NamedTuple

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.exceptions import LifecycleError


class Awaited(NamedTuple):
    """Up to where the replica has to be before a size of a log is published."""

    log: int
    size: int
    position: str


_awaited: dict[str, Awaited] = {}


def has_replayed(using: str, replica: str, log: int, size: int) -> bool:
    """Whether a replica has what was sealed up to a size that is to be published.

    The position is that of when it is first asked, so that a primary that goes on writing does not
    keep it waiting. Raises `LifecycleError` where no such replica is connected, or the role is not
    told how far it is.
    """
    known = _awaited.get(using)
    if known is None or (known.log, known.size) != (log, size):
        here = str(scalar(using, statement(__file__, "here")))
        known = _awaited[using] = Awaited(log, size, here)
    params = {"replica": replica, "position": known.position}
    rows = fetch(using, statement(__file__, "replayed"), params)
    if not rows:
        raise LifecycleError(
            f"LIFECYCLE_PROOF: `after`: no replica {replica!r} is connected: nothing is published."
        )
    if any(reached is None for (reached,) in rows):
        raise LifecycleError(
            "LIFECYCLE_PROOF: `after`: this role may not see how far replicas are:"
            " GRANT pg_read_all_stats to it."
        )
    return all(reached for (reached,) in rows)
