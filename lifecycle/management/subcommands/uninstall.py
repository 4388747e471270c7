"""`manage.py lifecycle uninstall`: the package off this database, while the site goes on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.install import migration_files as history
from lifecycle.install.uninstall import (
    LEDGER,
    Installed,
    drop_rest,
    drop_triggers,
    export,
    installed,
    silence,
)
from lifecycle.management.arguments import add_actor, add_yes, agreed

HELP = "Take triggers and functions off a database; keep, export or drop the ledger."
ANY_VERSION = True
BY_HAND = """\
What is left to do in the project:
  - in its checkout: `manage.py lifecycle uninstall --migrations`, which cuts the triggers out of
    its migration files; commit them;
  - delete every policies.py, the proxies made for them, and what imports lifecycle or purge;
  - take "lifecycle", "purge", and where nothing else needs them "django.contrib.postgres",
    "pgtrigger", "huey.contrib.djhuey" and HUEY, out of the settings; stop `manage.py run_huey`;
    uninstall the package."""

LATER = """To drop it later:
  DROP TABLE lifecycle_event, lifecycle_agenda, lifecycle_exception, lifecycle_policy,
    lifecycle_backfill, lifecycle_lock, lifecycle_segment, purge_run;
  DROP SCHEMA lifecycle_kept CASCADE;"""


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_actor(parser)
    add_yes(parser)
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the ledger there first")
    parser.add_argument(
        "--drop-ledger", action="store_true", help="drop the package's tables too, for ever"
    )
    parser.add_argument(
        "--migrations", action="store_true",
        help="only cut the triggers out of the project's migration files; no database is touched",
    )  # fmt: skip


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """The migration files once; else one database after the other."""
    if options["migrations"]:
        _clean_history(command, options)
        return
    if options["export"] and len(databases) > 1:
        raise LifecycleError("Several databases have a ledger: --export wants --database too.")
    for using in databases:
        _uninstall(command, options, using)
    command.stdout.write(BY_HAND)


def _uninstall(command: BaseCommand, options: dict[str, Any], using: str) -> None:
    path, there = options["export"], installed(using)
    if path and path.exists():
        raise LifecycleError(f"{path} exists already: name a new file.")
    if not (there.tables or there.triggers or there.functions):
        command.stdout.write(f"Nothing of the package is in {using}.")
        return
    _show(command, there, options)
    if not agreed(command, f"Remove this from {using}?", options):
        command.stdout.write("Nothing was changed.")
        return
    silence(using, options["actor"])
    if busy := drop_triggers(using):
        raise LifecycleError(
            f"Not off all tables: {'; '.join(busy.values())}. Nothing ends any more; run it again."
        )
    count = export(using, path) if path else None
    drop_rest(using, options["drop_ledger"], count)
    _report(command, count, options)


def _show(command: BaseCommand, there: Installed, options: dict[str, Any]) -> None:
    write = command.stdout.write
    count = sum(len(names) for names in there.triggers.values())
    tables, functions = len(there.triggers), len(there.functions)
    write(f"{count} triggers on {tables} tables, and their {functions} functions")
    write("the schema lifecycle with the package's functions")
    if options["drop_ledger"]:
        write(f"the tables {', '.join(there.tables)}: {there.events} events, for ever")
    else:
        write(f"Stays: the ledger, {there.events} events in {LEDGER}, and the tables beside it")
    if options["export"]:
        write(f"Written first: the ledger, to {options['export']}")


def _report(command: BaseCommand, count: int | None, options: dict[str, Any]) -> None:
    write = command.stdout.write
    if count is not None:
        write(f"{count} events are in {options['export']}.")
    write("Triggers and functions are gone.")
    if not options["drop_ledger"]:
        write(f"The ledger stays in {LEDGER}, still append-only. {LATER}")


def _clean_history(command: BaseCommand, options: dict[str, Any]) -> None:
    paths = history.files()
    for path in paths:
        command.stdout.write(str(path))
    if not paths:
        command.stdout.write("No migration file of the project names a trigger of this package.")
    elif agreed(command, f"Cut the triggers out of these {len(paths)} files?", options):
        for path in paths:
            text = history.without_triggers(path.read_text(encoding="utf-8"))
            path.write_text(text, encoding="utf-8")
        command.stdout.write("Done. Look at the difference before you commit it.")
    else:
        command.stdout.write("Nothing was changed.")
