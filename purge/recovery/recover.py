"""After a restore: the published history goes back into the ledger, and its projections follow.

    rejoin     what was written since the restore makes room
    take       what is missing is put back, proven and sealed as it was, bundle by bundle
    project    agenda, row exceptions and policies' states are made again from the whole ledger
    end        by the caller: a replay ends again what had ended; then `finish` ends the alarm

Nothing else ends until then. Killed between any two, the next run goes on; at its end, a second one
finds nothing to do.
"""

from lifecycle.backfill.progress import ask
from lifecycle.db.connection import own_transaction
from lifecycle.exceptions import LifecycleError
from lifecycle.hints import database_option
from lifecycle.ledger.policy_states import rebuild
from lifecycle.policy.databases import is_at
from lifecycle.policy.registry import all_policies
from lifecycle.proof.tiled import Edge
from lifecycle.sealing.log import note, read_log
from purge.proof.detect import Decision, State, decide
from purge.proof.options import ProofOptions
from purge.proof.ship import packed, store_of
from purge.recovery.rejoin import rejoin
from purge.recovery.stages import ENDING, lock_log, note_stage, stage_of
from purge.recovery.survey import Survey, survey
from purge.recovery.take import Tell, take

RECOVERED = (State.RESTORED, State.FORKED)


def recover(using: str, options: ProofOptions, actor: str, tell: Tell) -> bool:
    """Put the published history back, as far as it is missing; False where nothing is.

    Afterwards the ledger is the one that was published, followed by what was written since the
    restore. Raises `LifecycleError` where the store does not have what it takes, or something else
    is wrong with the log than that.
    """
    stage = stage_of(read_log(using))
    if stage == ENDING:
        return True
    if not stage and (why := _alarm(using, options)) is None:
        return False
    found = survey(using, options)
    if not stage and why:
        rejoin(using, options, found, why, actor)
    take(using, options, found, tell)
    _project(using, options, found)
    return True


def _alarm(using: str, options: ProofOptions) -> Decision | None:
    """Why the ledger is not what was published; None where it is."""
    found = decide(using, options)
    if found.witness:
        text = "the store was put back too, and has not what is missing"
        anew = f"`manage.py lifecycle proof --begin-anew{database_option(using)}` goes on"
        raise LifecycleError(f"{found.text}: {text}. {anew}.")
    if found.state in RECOVERED:
        return found
    if found.is_alarm:
        raise LifecycleError(f"{found.state}: {found.text}: that is not put right by a replay.")
    return None


def _project(using: str, options: ProofOptions, found: Survey) -> None:
    """In one transaction: all projections, and how far the log is shipped."""
    edge = Edge.read(found.head.size, store_of(options, found.log).read)
    with own_transaction(using):
        log = lock_log(using)
        rebuild(using)
        checkpoint = found.checkpoint.decode()
        note(using, log, packed(edge), shipped=log.size, shipping=None, checkpoint=checkpoint)
        note_stage(using, log, log.alarm, ENDING)
    _read_again(using)


def _read_again(using: str) -> None:
    """Have the worker read the tables: rows that are back may be on no agenda."""
    for policy in all_policies():
        if is_at(policy.model, using):
            try:
                ask(policy, using)
            except LifecycleError:  # paused, halted, or not in this database: said elsewhere
                continue
