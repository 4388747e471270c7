"""`manage.py lifecycle erase`: one row ends on request, with a receipt."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import parse
from lifecycle.management.arguments import add_actor, add_json, add_policy, add_yes, agreed
from lifecycle.management.output import write_json
from lifecycle.management.targets import duration
from purge.erasure.erase import erase_key
from purge.erasure.receipt import Receipt, receipts

HELP = "End a row on request now, and print the receipt; or print it again."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", nargs="?", help="app.Model:pk")
    parser.add_argument("--reference", default="", help="of the request, written into the ledger")
    parser.add_argument(
        "--grace", type=duration, metavar="TIME", help="0, 90s, 30m, 12h, 7d: not the policy's own"
    )
    add_policy(parser, "where the model has several for requests")
    parser.add_argument("--show", metavar="REFERENCE", help="print the receipts of a reference")
    parser.add_argument("--dry-run", action="store_true", help="do it, and take it back")
    add_json(parser)
    add_yes(parser)
    add_actor(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """A reference may be in any database; a row is in one."""
    if options["show"] is not None:
        _show(command, options, databases)
    else:
        run(command, options | {"database": databases[0]})


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Show what would go, ask, erase, print the receipt."""
    if not options["row"]:
        raise LifecycleError("Say which row: app.Model:pk, or --show REFERENCE.")
    if not (options["dry_run"] or options["yes"] or _agreed(command, options)):
        command.stdout.write("Nothing was changed.")
        return
    _print(command, options, [_erase(options, options["dry_run"])])


def _erase(options: dict[str, Any], dry_run: bool) -> Receipt:
    model, key = parse(options["row"])
    return erase_key(
        model, key, options["reference"], options["grace"], options["policy"], options["actor"],
        dry_run, options["database"],
    )  # fmt: skip


def _agreed(command: BaseCommand, options: dict[str, Any]) -> bool:
    preview = _erase(options, dry_run=True)
    if not preview.dry_run:
        return True  # erased before: the receipt is printed again
    command.stdout.write(preview.as_text())
    return agreed(command, "Erase it?", options)


def _show(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    shown = [each for using in databases for each in receipts(options["show"], using)]
    if not shown:
        raise LifecycleError(f"No erasure has the reference {options['show']!r}.")
    _print(command, options, shown)


def _print(command: BaseCommand, options: dict[str, Any], shown: list[Receipt]) -> None:
    if options["json"]:
        write_json(command, [asdict(receipt) for receipt in shown])
        return
    for receipt in shown:
        command.stdout.write(receipt.as_text())
