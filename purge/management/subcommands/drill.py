"""`manage.py lifecycle drill`: would a recovery from this dump do?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_json
from lifecycle.proof.errors import ProofError
from purge.management.subcommands.restore_report import OFF, show
from purge.proof.options import proof_options
from purge.recovery.drill import Drilled, drill

HELP = "Restore a dump into a scratch database, put history back, verify, and say what would end."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("dump", type=Path, metavar="DUMP", help="of pg_dump, in any format")
    parser.add_argument("--scratch", default="", metavar="NAME", help="default: NAME_drill")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print the signed report; exit code 1 where a recovery would not do, or rows are unsure."""
    found = proof_options()
    if found is None:
        raise LifecycleError(OFF)
    try:
        done = drill(options["database"], found, options["dump"], options["scratch"])
    except ProofError as error:
        raise LifecycleError(f"What was published cannot be read: {error}.") from error
    show(command, options, done.report, found)
    _refuse(done)


def _refuse(done: Drilled) -> None:
    problems = list(done.problems)
    if unsure := done.report.left.get("unsure"):
        problems.append(f"{unsure} rows would be unsure")
    if problems:
        raise LifecycleError("; ".join(problems))
