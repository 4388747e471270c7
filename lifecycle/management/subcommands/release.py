"""`manage.py lifecycle release`: lift holds."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.context import context
from lifecycle.ledger.held_deleted import held_deleted
from lifecycle.ledger.holds import release
from lifecycle.ledger.row_names import parse, row_of
from lifecycle.management.arguments import add_actor, add_policy
from lifecycle.management.output import local_time
from lifecycle.management.targets import future
from lifecycle.policy.registry import get_policy
from lifecycle.printable import visible

HELP = "Lift the holds of a row or a policy, one by its number, or all under a reference."
SHOWN = 20  # rows that are gone
TARGETS = ("row", "policy", "number", "reference")


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", nargs="?", metavar="app.Model:pk")
    add_policy(parser, "the holds on this policy")
    parser.add_argument(
        "--number", type=int, help="this hold, as `manage.py lifecycle holds` names it"
    )
    parser.add_argument("--reference", help="every hold under this reference")
    parser.add_argument("--at", metavar="TIME", help="not now: then they end by themselves")
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Release, and say how many holds, and which of their rows are gone all the same."""
    using = options["database"]
    given = [name for name in TARGETS if options[name] is not None]
    if len(given) != 1 or options[given[0]] == "":
        raise LifecycleError("Name a row, --policy, --number or --reference: one of them.")
    before, at = held_deleted(using), future(options["at"])
    with context(actor=options["actor"], using=using):
        count = _release(given[0], options[given[0]], using, at)
    holds = f"{count} hold{'' if count == 1 else 's'}"
    if at:
        command.stdout.write(f"{holds} placed anew, until {local_time(at)}.")
        return
    command.stdout.write(f"Released {holds}.")
    still = set(held_deleted(using))
    for each in [each for each in before if each not in still][:SHOWN]:
        command.stdout.write(visible(f"Hold {each.hold}: {each.name}: {each.says}."))


def _release(kind: str, value: Any, using: str, at: datetime | None) -> int:
    if kind == "reference":
        return release(reference=value, using=using, at=at)
    if kind == "row":
        value = _row(value, using)
    elif kind == "policy":
        get_policy(value)
    return release(value, using=using, at=at)


def _row(name: str, using: str) -> Any:
    """The row; where it is gone, an object with its key: its holds are still there to be lifted."""
    try:
        return row_of(name, using)
    except RowMissing:
        model, key = parse(name)
        return model(pk=key)
