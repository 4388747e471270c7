"""Whether retention of a database is well, as a health check asks: quick, and in a few words.

The words may be shown to everybody: they name no policy, no table and no row.
"""

from collections.abc import Callable

from lifecycle.metrics.families import RESTORED
from lifecycle.metrics.read import Sample, read_health
from lifecycle.models import PolicyState

SILENT = 300.0  # seconds; a worker looks once a minute
UNSHIPPED = 900.0  # seconds; a worker publishes within some

Ask = Callable[[list[Sample]], str]


def ailing(using: str, ask: Ask) -> str:
    """What is wrong with a database, '' where nothing is; raises what the database raises."""
    return ask(read_health(using))


def answers(found: list[Sample]) -> str:
    """That it answers at all, in time and for this version of the package, is enough."""
    return ""


def worker(found: list[Sample], silent: float = SILENT) -> str:
    """Whether a worker, or `manage.py purge`, has looked within so many seconds."""
    seen, now = _value(found, "seen"), _value(found, "now")
    if seen is None or now is None:
        return "no worker has been here yet"
    ago = now - seen
    return f"no worker has looked for {ago:.0f} seconds" if ago > silent else ""


def halted(found: list[Sample]) -> str:
    """Whether a brake has stopped a policy."""
    state = PolicyState.State.HALTED
    number = sum(each.measured == "state" and each.more == state for each in found)
    return f"{number} halted: `manage.py lifecycle status` says why" if number else ""


def unshipped(found: list[Sample], patience: float = UNSHIPPED) -> str:
    """Whether what is sealed has waited for so many seconds to be published."""
    since, now = _value(found, "unshipped_since"), _value(found, "now")
    waits = now - since if since is not None and now is not None else 0.0
    return f"events have waited {waits:.0f} seconds to be published" if waits > patience else ""


def restored(found: list[Sample]) -> str:
    """Whether the ledger is older than what was published of it."""
    alarm = any(each.measured == "alarm" and each.more in RESTORED for each in found)
    return "a backup was restored: `manage.py lifecycle proof` says what to do" if alarm else ""


def _value(found: list[Sample], measured: str) -> float | None:
    return next((each.value for each in found if each.measured == measured), None)
