"""`manage.py lifecycle verify`: what breaks a promise, in words."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lifecycle.db.progress import Tell
from lifecycle.hooks import unanswered, verify_log
from lifecycle.install.reach import elsewhere
from lifecycle.ledger.held_deleted import deleted_rows, held_deleted
from lifecycle.management.output import console_of, progress_bar
from lifecycle.printable import visible
from lifecycle.promises import check as promises
from lifecycle.promises.rows import unreadable

HELP = "Check the promises; exit code 1 when one is broken."
SHOWN = 20  # violations of one promise


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument(
        "--stated", type=float, default=promises.STATED.total_seconds(), metavar="SECONDS",
        help="how long something may be due and not done (default: 3600)",
    )  # fmt: skip
    parser.add_argument(
        "--promise", type=int, action="append", choices=sorted(map(_number, promises.names())),
        metavar="NUMBER", help="check this promise only; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--deep", action="store_true",
        help="compare every row that was purged with its table, not a sample of them;"
        " with --proof: all events, tiles and entries",
    )  # fmt: skip
    parser.add_argument(
        "--proof", action="store_true",
        help="instead of the promises: the ledger against what was sealed and published of it",
    )  # fmt: skip


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print each promise and what breaks it; exit code 1 when something does."""
    using = options["database"]
    if options["proof"]:
        _run_proof(command, using, options["deep"])
        return
    wanted = options["promise"] or [_number(name) for name in promises.names()]
    only = [name for name in promises.names() if _number(name) in wanted]
    stated = timedelta(seconds=options["stated"])
    broken = sum(_check(command, using, stated, only, options["deep"]))
    for policy in unreadable(using):
        command.stdout.write(
            f"not compared with its table: {policy}: see `manage.py lifecycle status`"
        )
    strays = elsewhere(using)
    for table in strays:
        command.stdout.write(f"nothing of it is in the ledger: {table}, of another schema")
    gone = held_deleted(using)
    for each in gone[:SHOWN]:
        command.stdout.write(visible(f"held, and not kept by the site: {each.name}: {each.says}"))
    broken += len(strays)
    late = unanswered(using)
    for line in late:
        command.stdout.write(visible(f"not answered: {line}"))
    if broken or gone or late:
        raise CommandError(
            _failure(broken, sum(each.rows for each in gone), len(late)), returncode=1
        )


def _check(
    command: BaseCommand, using: str, stated: timedelta, only: list[str], deep: bool
) -> Iterator[int]:
    """Print each promise as soon as it is known; yields how many violations it has."""
    console = console_of(command)
    with progress_bar(console, "verify") as show:

        def begin(name: str) -> Tell:
            show(description=_title(name).strip(), completed=0, total=None)
            return lambda done, total: show(completed=done, total=total)

        for name, violations in promises.checked(using, stated, only, deep, begin):
            lines = [f"{_title(name)}: {_verdict(len(violations))}"]
            lines += [f"    {_line(violation)}" for violation in violations[:SHOWN]]
            if len(violations) > SHOWN:
                lines.append(f"    and {len(violations) - SHOWN} more")
            for line in lines:
                console.print(visible(line), soft_wrap=True)
            yield len(violations)


def _run_proof(command: BaseCommand, using: str, deep: bool) -> None:
    """What could not be read was not checked, and is a failure too."""
    found = verify_log(using, deep)
    for kind, lines in (("", found.lines), ("not read: ", found.unread), ("", found.problems)):
        for line in lines:
            command.stdout.write(visible(f"{kind}{line}"))
    if found.problems:
        raise CommandError(f"{len(found.problems)} problems.", returncode=1)
    if found.unread:
        raise CommandError("Some of it could not be read, and is not verified.", returncode=1)


def _failure(broken: int, gone: int, late: int) -> str:
    """Each by itself, for they are of different people: this package, the site, somebody else."""
    lines = [f"{broken} violations."] if broken else []
    lines += [f"{deleted_rows(gone)}."] if gone else []
    lines += [f"{late} subscribers have not answered in time."] if late else []
    return " ".join(lines)


def _number(name: str) -> int:
    return int(name.split("_")[1])


def _title(name: str) -> str:
    _, number, words = name.split("_", 2)
    return f"{int(number):>2} {words.replace('_', ' ')}"


def _verdict(count: int) -> str:
    return f"{count} violations" if count else "kept"


def _line(violation: promises.Violation) -> str:
    event = f"event {violation.event}, " if violation.event else ""
    return f"{event}{violation.subject}: {violation.problem}"
