"""`manage.py lifecycle export`: what the site has of a person, as a zip."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.ledger.row_names import row_of
from lifecycle.management.arguments import add_actor, add_json
from lifecycle.management.output import write_json
from purge.exports.write import export

HELP = "Write what the site has of a person into a zip: the rows that an erasure would concern."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", metavar="app.Model:pk", help="the person's row")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE.zip", help="a new file")
    parser.add_argument(
        "--files", action="store_true", help="put the files in, not their names only"
    )
    add_actor(parser)
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Export, and say what is in it."""
    using = options["database"]
    row = row_of(options["row"], using)
    index = export(row, options["to"], using, options["actor"], options["files"])
    if options["json"]:
        write_json(command, index)
        return
    command.stdout.write(f"{index['row']}: written to {options['to']}.")
    for label, each in index["models"].items():
        stay = f", {each['stay']} of them would stay after an erasure" if each["stay"] else ""
        command.stdout.write(f"  {label}: {each['rows']} rows{stay}")
    missing = sum("missing" in each for each in index["files"])
    put = "put in" if options["files"] else "listed"
    if index["files"]:
        told = f"  {len(index['files'])} files, {put}" + (f", {missing} missing" if missing else "")
        command.stdout.write(told)
