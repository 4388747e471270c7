"""`manage.py purge --replay --from-proof` on the terminal: history back first, then a replay."""

from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.db.connection import rehearsal
from lifecycle.exceptions import LifecycleError
from lifecycle.management.output import console_of, progress_bar
from lifecycle.proof.errors import ProofError
from lifecycle.sealing.log import read_log
from purge.management import replay as replaying
from purge.proof import gate
from purge.proof.options import ProofOptions, proof_options
from purge.recovery.ends import SAID, Ends, refuse_undeclared, spare
from purge.recovery.lock import alone
from purge.recovery.recover import recover
from purge.recovery.silence import await_silence
from purge.recovery.stages import finish, recovered_of, recovery_of

OFF = "LIFECYCLE_PROOF is not set: nothing is published from which the ledger could be put back."


def run(command: BaseCommand, options: dict[str, Any], using: str) -> str:
    """Put one database's history back and replay it; why it did not end everything, in words."""
    found = proof_options()
    if found is None:
        raise LifecycleError(OFF)
    try:
        with alone(using, options["online"]):
            if options["dry_run"]:
                with rehearsal(using):
                    return _run(command, options, using, found)
            return _run(command, options, using, found)
    except ProofError as error:
        raise LifecycleError(f"What was published cannot be read: {error}.") from error


def _run(command: BaseCommand, options: dict[str, Any], using: str, found: ProofOptions) -> str:
    refuse_undeclared(using)
    with progress_bar(console_of(command), "events put back") as update:
        under_way = recover(using, found, options["actor"], lambda events: update(advance=events))
    if not under_way:
        command.stderr.write("Nothing that was published is missing here.")
        return replaying.run(command, options, using)
    _say(command, using)
    recovered = recovered_of(read_log(using), using, options["untouched"])
    if not options["dry_run"]:
        await_silence(using, found)
    with gate.opened(using):
        left = replaying.run(command, options, using, recovered)
    if recovered:
        _tell_ends(command, spare(using, recovered, options["actor"]))
    if not options["dry_run"]:
        finish(using)
    return left


def _tell_ends(command: BaseCommand, found: Ends) -> None:
    """What the columns that are back say otherwise than what was published."""
    for each in found.counts:
        command.stderr.write(f"{each.policy}: {each.rows} rows of {each.model} {SAID[each.says]}.")


def _say(command: BaseCommand, using: str) -> None:
    """How much is back; to stderr, for standard output may be a program's."""
    said = recovery_of(read_log(using))
    text = f"{said['missing']} published events are back in the ledger"
    moved = said["moved"]
    since = f"; {moved} that were written since the restore follow them" if moved else ""
    command.stderr.write(f"{text}{since}.")
