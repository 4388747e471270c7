"""`manage.py archive verify`: every byte is read again and compared."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_json
from lifecycle.management.databases import databases_of
from lifecycle.management.output import console_of, progress_bar, write_json
from lifecycle.printable import visible
from purge.archive.catalog import Catalog, archive, bare, catalog, prefixes
from purge.archive.destinations import Destination, destination
from purge.archive.manifest import Manifest, ManifestError
from purge.archive.records import Lost, Records, lost, records
from purge.archive.verify import Problem, problems_beside, sorted_out, verify
from purge.iceberg.verify import problems, tables
from purge.management.archive.ls import size

HELP = "Read archives to their end, and compare them with their manifests and the ledger."
DATABASE = "whose ledger is compared by --all; default: each that has one"


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("archive", nargs="*", help="by name, or by that of one of its files")
    parser.add_argument(
        "--all", action="store_true",
        help="every archive, and whether some are missing or objects too many",
    )  # fmt: skip
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Verify one after the other; exit code 1 where something is wrong."""
    if bool(options["archive"]) == options["all"]:
        raise LifecycleError("Name archives, or say --all.")
    where = destination()
    chosen = _chosen(where, options)
    databases = databases_of(options["database"])
    known = records(databases, None if options["all"] else list(map(bare, options["archive"])))
    archives, others = sorted_out(chosen, known, databases)
    problems_of = _each(command, where, archives, options["json"])
    if options["all"]:
        others += _beside(where, chosen, archives, known, databases, options["prefix"])
    wrong = [each for those in problems_of for each in those] + others
    gone = [each for each, _ in lost(databases)] if options["all"] else []
    if options["json"]:
        write_json(command, _data(archives, wrong) | {"lost": list(map(_lost, gone))})
    else:
        for each in gone:
            command.stdout.write(visible(f"lost  {each.archive} {each.says}: {each.reason}"))
        _print(command, archives, others)
    if wrong:
        words = "1 problem" if len(wrong) == 1 else f"{len(wrong)} problems"
        raise CommandError(f"{words} in {where.title}.")


def _beside(
    where: Destination, chosen: Catalog, archives: list[Manifest], known: Records,
    databases: list[str], prefix: str | None,
) -> list[Problem]:  # fmt: skip
    """What is beside the archives: objects too many, archives that are missing, and tables."""
    found = tables(where, databases, prefixes(prefix))
    own = tuple(table.metadata for table, _ in found)  # which no manifest names
    beside = problems_beside(chosen, known, databases)
    told = [each for each in beside if not own or not each.name.startswith(own)]
    for table, using in found:
        told += problems(table, where, using, archives, known)
    return told


def _chosen(where: Destination, options: dict[str, Any]) -> Catalog:
    below = prefixes(options["prefix"])
    if options["all"]:
        return catalog(where, below)
    found = Catalog()
    for name in options["archive"]:
        try:
            found.archives.append(archive(where, below, name))
        except ManifestError as error:
            found.broken[name] = str(error)
    return found


def _each(
    command: BaseCommand, where: Destination, archives: list[Manifest], quiet: bool
) -> list[list[Problem]]:
    """The problems of each archive, printed one by one; with a bar as long as the bytes."""
    console = console_of(command)
    problems_of = []
    total = sum(each.bytes for each in archives)
    with progress_bar(console, "verifying", total, quiet) as update:
        for each in archives:
            problems_of.append(verify(where, each))
            update(advance=each.bytes)
            if not quiet:
                _print_archive(console, each, problems_of[-1])
    return problems_of


def _print_archive(console: Any, each: Manifest, problems: list[Problem]) -> None:
    word = "WRONG" if problems else "ok"
    files = "1 file" if len(each.files) == 1 else f"{len(each.files)} files"
    what = f"{each.rows:,} rows, {files}, {size(each.bytes)}"
    console.print(f"{word:<6}{each.name}  {what}", soft_wrap=True)
    for problem in problems:
        console.print(visible(f"      {problem.name} {problem.why}"), soft_wrap=True)


def _print(command: BaseCommand, archives: list[Manifest], strays: list[Problem]) -> None:
    for problem in strays:
        command.stdout.write(visible(f"WRONG {problem.name}: {problem.why}"))
    rows = sum(each.rows for each in archives)
    count = "1 archive" if len(archives) == 1 else f"{len(archives)} archives"
    command.stdout.write(f"{count}, {rows:,} rows: every byte was read.")


def _lost(each: Lost) -> dict[str, Any]:
    return {"name": each.archive, "event": each.event, "actor": each.actor, "reason": each.reason}


def _data(archives: list[Manifest], problems: list[Problem]) -> dict[str, Any]:
    return {"archives": [each.name for each in archives], "problems": list(map(asdict, problems))}
