"""`manage.py archive erase`: rows of somebody leave the archives of a policy, for good."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_actor, add_json, add_yes, agreed
from lifecycle.management.output import write_json
from lifecycle.management.targets import pairs
from lifecycle.printable import visible
from purge.rewriting.ask import ErasedRows, erase_archived

HELP = "Rewrite the archives of a policy without some rows; what held them goes, for good."
DATABASE = "default: that of the policy's rows"


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("policy", help="whose archives")
    parser.add_argument(
        "--where", action="append", default=[], metavar="COLUMN=VALUE",
        help="the rows that have just this value, exactly; of several, rows that have all of them",
    )  # fmt: skip
    parser.add_argument("--reference", default="", help="of the request, written into the ledger")
    parser.add_argument("--dry-run", action="store_true", help="look for them, change nothing")
    add_json(parser)
    add_yes(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Say how many rows would go, ask, rewrite, say what became of it."""
    if options["prefix"]:
        raise LifecycleError("Archives to erase in are those that the ledger knows: no --prefix.")
    where = pairs(options["where"])
    if not where:
        raise LifecycleError("Say which rows: --where COLUMN=VALUE.")
    if not (options["dry_run"] or options["yes"]):
        preview = _erase(options, where, dry_run=True)
        _print(command, preview, as_json=False)
        if not preview.rows or not agreed(command, "Erase them?", options):
            command.stdout.write("Nothing was changed.")
            _refuse_failed(preview)
            return
    done = _erase(options, where, options["dry_run"])
    _print(command, done, options["json"])
    _refuse_failed(done)
    if done.left:
        raise CommandError("Something of it is still there: a worker tries it again.")


def _erase(options: dict[str, Any], where: dict[str, str], dry_run: bool) -> ErasedRows:
    return erase_archived(
        options["policy"], where, options["reference"], options["actor"], dry_run,
        options["database"],
    )  # fmt: skip


def _refuse_failed(done: ErasedRows) -> None:
    """`CommandError` where an archive could not be done, with why the first could not."""
    if not done.failed:
        return
    count = len(done.failed)
    told = "1 archive was not done: rows may still be in it." if count == 1 else (
        f"{count} archives were not done: rows may still be in them."
    )  # fmt: skip
    raise CommandError(visible(f"{told} {next(iter(done.failed.values()))}"))


def _print(command: BaseCommand, done: ErasedRows, as_json: bool) -> None:
    if as_json:
        write_json(command, asdict(done) | {"rows": done.rows})
        return
    verb = "would go" if done.dry_run else "erased"
    for name, rows in done.archives.items():
        command.stdout.write(visible(f"{name}: {rows:,} rows {verb}"))
    for name, why in done.left.items():
        command.stdout.write(visible(f"{name}: still there: {why or 'a worker goes on'}"))
    for name, says in done.lost.items():
        command.stdout.write(visible(f"{name} {says}: not looked through"))
    word = "CANNOT BE DONE" if done.dry_run else "NOT DONE"
    for name, why in done.failed.items():
        command.stdout.write(visible(f"{name}: {word}: {why}"))
    command.stdout.write(f"{done.policy}: {done.rows:,} rows in {len(done.archives)} archives.")
