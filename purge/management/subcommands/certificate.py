"""`manage.py lifecycle certificate`: the proof that a row has ended, for somebody outside."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import parse
from lifecycle.management.arguments import add_json
from lifecycle.proof.certificate import Checked
from lifecycle.proof.readable import as_json, readable
from lifecycle.proof.tlog_proof import SUFFIX
from purge.certificates.make import certify
from purge.certificates.story import Story, of_reference, of_row, of_run

HELP = "Write a certificate of a deletion, and print what it says."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", nargs="?", metavar="app.Model:pk", help="a row that has ended")
    parser.add_argument("--run", type=int, metavar="ID", help="all that a run has ended")
    parser.add_argument("--reference", help="what was erased under it")
    parser.add_argument("--open", action="store_true", help="name the row, and its files, in it")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: here")
    add_json(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """A reference may be in any database; a row and a run are in one."""
    asked = [options["row"], options["run"], options["reference"]]
    if sum(each is not None for each in asked) != 1:
        raise LifecycleError("Say one of app.Model:pk, --run ID and --reference R.")
    many = databases if options["reference"] is not None else databases[:1]
    told = [(story, using) for using in many for story in _stories(options, using)]
    if not told:
        raise LifecycleError(f"No erasure has the reference {options['reference']!r}.")
    for story, using in told:
        _write(command, options, certify(story, using, options["open"]))


def _stories(options: dict[str, Any], using: str) -> list[Story]:
    if options["reference"] is not None:
        return of_reference(options["reference"], using)
    if options["run"] is not None:
        return [of_run(options["run"], using)]
    return [of_row(*parse(options["row"]), using)]


def _write(command: BaseCommand, options: dict[str, Any], checked: Checked) -> None:
    path = options["out"] / (checked.statement.number.replace("/", "-") + SUFFIX)
    try:
        path.write_bytes(checked.certificate.encode())
    except OSError as error:
        raise LifecycleError(f"{path} cannot be written: {error.strerror}.") from error
    command.stdout.write(as_json(checked) if options["json"] else readable(checked))
    command.stderr.write(f"Written to {path}.")
