"""Why a policy makes no progress: whatever the reason, somebody is told of it.

Something due waits from when it fell due. Rows that are listed again at each try, because somebody
has them locked, would look as if they had just come: of these the number of tries says since when.
"""

from datetime import datetime, timedelta

from lifecycle.conf import conf
from lifecycle.db.connection import Placed
from lifecycle.insight.causes import CAUSES, STOPPED
from lifecycle.models import PolicyState
from lifecycle.phrases import lasting, phrase

State = PolicyState.State

#: entries that every try lists anew, and when they were first tried
IS_TRIED = Placed(
    "(entry.attempts > 0 AND coalesce(event.detail ->> 'relisted' IN ('locked', 'left'), false))"
)
TRIED_FOR = "{unit} * (2 ^ least({attempts} - 1, 6) - 1 + 60 * greatest({attempts} - 7, 0))"
FIRST_TRY = Placed(
    "(event.recorded_at - "
    + TRIED_FOR.format(unit="interval '1 second'", attempts="entry.attempts")
    + ")"
)

INTERRUPTED, HALTED = "interrupted", "halted"  # how the error of a run begins that did not fail


def is_failure(error: str) -> bool:
    """Whether the error with which a run ended is one of the pass itself."""
    return bool(error) and error != INTERRUPTED and not error.startswith(HALTED)


def failing(error: str, began: datetime | None, since: datetime | None) -> list[str]:
    """The last pass has failed, and has left what was due before it began."""
    if not (began and since and is_failure(error)) or since > began:
        return []
    return [
        phrase(
            "its passes fail with %(error)s, and what is due stays: the worker's log says why",
            error=error,
        )
    ]


def stopped(state: str, barred: bool, waited: timedelta, policy: str, using: str) -> list[str]:
    """A person has stopped it, and something due has waited for longer than is meant."""
    why = "held" if state == State.ENABLED and barred else state
    if not (why in STOPPED and conf.MAX_STOPPED) or waited.total_seconds() <= conf.MAX_STOPPED:
        return []
    since = timedelta(seconds=int(waited.total_seconds()))
    cause = CAUSES[why].clause(policy, using)
    return [phrase("due for %(time)s, and %(cause)s", time=lasting(since), cause=cause)]
