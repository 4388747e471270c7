"""How far a recovery has come: noted in the log's row, beside the alarm that stands until its end.

taking    what is missing is being put back; how far is the log's own size
ending    all is put back, the projections are made again; what had ended is to end again
"""

from typing import Any

from lifecycle.db.connection import fetch, own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.sealing.log import LOCK, Log, note, read_log
from purge.proof import gate
from purge.replay.model import Recovered

TAKING, ENDING = "taking", "ending"


def stage_of(log: Log | None) -> str:
    """The stage of the recovery that is under way; '' where none is."""
    return str(recovery_of(log).get("stage", ""))


def recovery_of(log: Log | None) -> dict[str, Any]:
    """What is noted of the recovery that is under way; empty where none is."""
    found: dict[str, Any] = log.alarm.get("recovery", {}) if log else {}
    return found


def recovered_of(log: Log | None, using: str, untouched: bool = False) -> Recovered | None:
    """Which events are those that were put back, for a replay.

    `LifecycleError` where somebody says that no row was written since the restore, and events say
    that rows were.
    """
    said = recovery_of(log)
    if log is None or not said:
        return None
    if untouched and (
        events := scalar(using, statement(__file__, "written"), {"top": said["top"]})
    ):
        text = f"--untouched: {events} events say that rows were written since the restore"
        raise LifecycleError(f"{text}. Say it without.")
    return Recovered(log.incarnation, said["kept"], said["size"], said["top"], untouched)


def lock_log(using: str) -> Log:
    """The log, which this transaction has alone from now on; waits for who has it."""
    fetch(using, statement(__file__, "lock_log"), {"name": LOCK})
    log = read_log(using)
    if log is None:
        raise LookupError("no log is begun")
    return log


def note_stage(using: str, log: Log, alarm: dict[str, Any], stage: str, **said: Any) -> None:
    """Note how far the recovery is; the alarm stands."""
    known = recovery_of(log) | said | {"stage": stage}
    note(using, log, alarm=alarm | {"recovery": known})


def finish(using: str) -> None:
    """The alarm is over: what had ended has ended again."""
    with own_transaction(using):
        log = lock_log(using)
        if recovery_of(log):
            note(using, log, alarm={})
    gate.forget(using)
