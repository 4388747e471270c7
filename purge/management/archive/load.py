"""`manage.py archive load`: rows come back, and are held until they are released."""

import shlex
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_actor
from lifecycle.management.output import console_of, progress_bar
from lifecycle.printable import visible
from purge.archive.catalog import archive, prefixes
from purge.archive.destinations import destination
from purge.archive.loading.load import Counts, Load
from purge.archive.loading.prepare import prepare

HELP = "Bring rows back from an archive; they are held until you release them."
DATABASE = "default: whose ledger knows the archive; with --into, the default database"


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("archive", help="by name, or by that of one of its files")
    parser.add_argument(
        "--filter", action="append", default=[], metavar="COLUMN=VALUE",
        help="only rows that match; several must all match",
    )  # fmt: skip
    parser.add_argument(
        "--into", metavar="TABLE", help="another table, made where it is not there; no hold"
    )
    parser.add_argument(
        "--untrusted", action="store_true",
        help="also what the ledger does not know, only --into a table that the command makes",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="load, then take everything back")
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Load, and say what came, what did not, and how the rows are let go."""
    where = destination()
    manifest = archive(where, prefixes(options["prefix"]), options["archive"])
    load = prepare(
        manifest, where, options["filter"], options["into"], options["database"],
        options["actor"], options["dry_run"], options["untrusted"],
    )  # fmt: skip
    for note in load.target.notes:
        command.stdout.write(visible(note))
    counts = _run(command, load)
    if not counts.matched and load.filters:
        raise LifecycleError(f"No row of {manifest.name} matches.")
    for line in _lines(load, counts, options["into"]):
        command.stdout.write(visible(line))


def _run(command: BaseCommand, load: Load) -> Counts:
    counts = Counts()
    with progress_bar(console_of(command), "loading", load.manifest.rows) as update:
        for counts in load.run():
            update(completed=counts.read)
    return counts


def _lines(load: Load, counts: Counts, into: str | None) -> list[str]:
    name = load.manifest.name
    begun = "Dry run, nothing was changed: " if load.dry else ""
    lines = [
        f"{begun}{counts.loaded:,} of {counts.matched:,} rows loaded into {_where(load, into)}."
    ]
    if counts.there:
        lines.append(f"A row with the same key is there, and was left as it is: {counts.there:,}.")
    if counts.taken:
        lines.append(
            f"Another row has a value that only one may have: {counts.taken:,}."
            " If none has, a trigger of the table keeps them out."
        )
    if counts.altered:
        lines.append(
            f"A trigger of the table has changed rows as they came: {counts.altered:,}, in"
            f" {', '.join(sorted(counts.columns))}. They are not as they were archived; to have"
            " those, disable the trigger, delete the rows and load them again."
        )
    if counts.keys:
        lines.append(f"Not loaded: {', '.join(counts.keys)}{_more(counts)}.")
    if counts.files:
        lines.append(f"Rows that name files, which are not in the archive: {counts.files:,}.")
    if load.model and counts.loaded and not load.dry:
        release = f"`manage.py lifecycle release --reference {shlex.quote(name)}`"
        lines.append(f"They are held. To let them end: {release}")
    return lines


def _where(load: Load, into: str | None) -> str:
    return into or load.model._meta.label


def _more(counts: Counts) -> str:
    more = counts.there + counts.taken - len(counts.keys)
    return f" and {more:,} more" if more else ""
