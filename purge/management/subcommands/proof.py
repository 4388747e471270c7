"""`manage.py lifecycle proof`: the log of the ledger, its alarm, a new key, a new beginning."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_actor
from lifecycle.proof.errors import ProofError
from lifecycle.proof.leaf import told
from lifecycle.sealing.log import read_log
from purge.proof.anew import begin_anew
from purge.proof.detect import decide
from purge.proof.options import MISSING, ORIGIN, ProofOptions, proof_options
from purge.recovery.local import missing_events
from purge.requests.restored import withhold
from purge.requests.telling import tell_withheld

HELP = "How far the ledger is published, and whether it is what was; exit code 1 where it is not."
BACK_UP = "Make a backup now: one from before cannot be recovered by what is published."
OFF = "LIFECYCLE_PROOF is not set: nothing is published."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--new-key", metavar="ORIGIN", help="print a new signing key for this name")
    one.add_argument("--public-key", action="store_true", help="print what checks the signatures")
    one.add_argument(
        "--missing", action="store_true", help="the published events that are not here, as JSON"
    )
    one.add_argument(
        "--begin-anew", action="store_true",
        help="after an alarm: go on under a new origin; says in the ledger what is missing",
    )  # fmt: skip
    add_actor(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """A key needs no database."""
    if options["new_key"]:
        command.stdout.write(_new_key(options["new_key"]))
        return
    alarms = [alarm for using in databases if (alarm := _run(command, options, using))]
    if alarms:
        raise CommandError("; ".join(alarms), returncode=1)


def _new_key(origin: str) -> str:
    if not ORIGIN.fullmatch(origin):
        raise LifecycleError(f"{origin!r} is no origin, as `example.org/ledger`.")
    try:
        from lifecycle.proof.keys import SignerKey

        return SignerKey.generate(origin).secret_text()
    except ImportError:
        raise LifecycleError(MISSING) from None


def _run(command: BaseCommand, options: dict[str, Any], using: str) -> str:
    """The alarm, in words; '' where there is none."""
    found = proof_options()
    if found is None:
        command.stdout.write(OFF)
        return ""
    try:
        return _with(found, command, options, using)
    except ProofError as error:
        raise LifecycleError(f"What was published cannot be read: {error}.") from error


def _with(found: ProofOptions, command: BaseCommand, options: dict[str, Any], using: str) -> str:
    decision = decide(using, found)
    log = read_log(using)
    if log is None:
        return ""
    if options["public_key"]:
        command.stdout.write(str(found.verifier_of(log.incarnation)))
    elif options["missing"]:
        for record in missing_events(using, found):
            command.stdout.write(json.dumps(told(record)))
    elif options["begin_anew"]:
        if not options["actor"]:
            raise LifecycleError("Say who: --actor NAME.")
        _begin_anew(command, found, using, options["actor"])
    else:
        command.stdout.write(f"{log.origin}: {log.size} events sealed, {log.shipped} published")
        return f"{decision.state}: {decision.text}" if decision.is_alarm else ""
    return ""


def _begin_anew(command: BaseCommand, found: ProofOptions, using: str, actor: str) -> None:
    """What the new beginning leaves behind may have answered a request that is open here."""
    waiting: list[int] = []
    origin = begin_anew(using, found, actor, lambda: waiting.append(withhold(using, actor)))
    command.stdout.write(f"The ledger goes on as {origin}. {BACK_UP}")
    tell_withheld(command.stderr.write, *waiting)
