"""`manage.py lifecycle restore-report`: what a restore has undone, and what became of it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.management import output
from lifecycle.management.arguments import add_json
from lifecycle.proof.errors import ProofError
from purge.proof.options import ProofOptions, proof_options
from purge.recovery.report import RestoreReport, restore_report
from purge.recovery.texts import as_data, as_html, signed

HELP = "What a restored backup has undone, what has ended again since, what was kept; signed."
OFF = "LIFECYCLE_PROOF is not set: nothing tells that a database was restored."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as a page")
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print the report of one database; then write it where that is asked for."""
    found = proof_options()
    if found is None:
        raise LifecycleError(OFF)
    try:
        show(command, options, restore_report(options["database"], found), found)
    except ProofError as error:
        raise LifecycleError(f"What was published cannot be read: {error}.") from error


def show(
    command: BaseCommand, options: dict[str, Any], report: RestoreReport, found: ProofOptions
) -> None:
    """Print a report, and write it as a page where `--html` asks for that."""
    if options["json"]:
        output.write_json(command, as_data(report, found))
    else:
        command.stdout.write(signed(report, found), ending="")
    if options["html"]:
        _write(options["html"], as_html(report, found))
        command.stderr.write(f"Written to {options['html']}.")


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise LifecycleError(f"{path} cannot be written: {error.strerror}.") from error
