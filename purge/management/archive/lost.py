"""`manage.py archive lost`: a person declares an archive gone for good, or takes that back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_actor, add_yes, agreed
from lifecycle.management.databases import databases_of
from lifecycle.printable import visible
from purge.archive.catalog import bare
from purge.archive.destinations import destination
from purge.archive.records import records
from purge.rewriting.lost import declare_lost, found_again

HELP = "Declare that an archive is lost for good, so that nothing waits for it any more."
DATABASE = "default: that whose ledger knows the archive"


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("archive", help="by name")
    parser.add_argument("--reason", default="", help="why, written into the ledger")
    parser.add_argument(
        "--found", action="store_true", help="take it back: something of it is there again"
    )
    add_yes(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Say what it means, ask, and have the ledger say so."""
    if options["prefix"]:
        raise LifecycleError("Archives that are lost are those that the ledger knows: no --prefix.")
    name = bare(options["archive"])
    using = _database(name, options["database"])
    about = (name, options["reason"], options["actor"], using)
    if options["found"]:
        count = found_again(*about)
        asked = "1 erasure is" if count == 1 else f"{count} erasures are"
        command.stdout.write(visible(f"{name} is in force again; {asked} looked for in it."))
        return
    if not options["yes"]:
        command.stdout.write(visible(_question(name)))
        if not agreed(command, "Is it lost?", options):
            command.stdout.write("Nothing was changed.")
            return
    if declare_lost(*about):
        command.stdout.write(visible(f"{name} is declared lost: nothing waits for it any more."))
    else:
        command.stdout.write(
            visible(f"{name} wants a second person, who says the same within 7 days.")
        )


def _question(name: str) -> str:
    return (
        f"{name} is looked for in {destination().title}. Is that the right place, and mounted? Once"
        " it is declared lost, its rows are nowhere, and erasures are done without it."
    )


def _database(name: str, database: str | None) -> str:
    """The one whose ledger knows the archive; the first, where none does."""
    databases = databases_of(database)
    found = [using for using in databases if records([using], [name])]
    if len(found) > 1:
        raise LifecycleError(f"Several ledgers know {name}: say in which --database.")
    return (found or databases)[0]
