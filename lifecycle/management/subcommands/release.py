"""`manage.py lifecycle release`: lift holds."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context
from lifecycle.ledger.holds import release
from lifecycle.ledger.row_names import row_of
from lifecycle.management.arguments import add_actor, add_policy
from lifecycle.policy.registry import get_policy

HELP = "Lift the holds of a row or a policy, one by its number, or all under a reference."
TARGETS = ("row", "policy", "number", "reference")


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", nargs="?", metavar="app.Model:pk")
    add_policy(parser, "the holds on this policy")
    parser.add_argument("--number", type=int, help="this hold, as `lifecycle holds` names it")
    parser.add_argument("--reference", help="every hold under this reference")
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Release, and say how many holds."""
    using = options["database"]
    given = [name for name in TARGETS if options[name] is not None]
    if len(given) != 1 or options[given[0]] == "":
        raise LifecycleError("Name a row, --policy, --number or --reference: one of them.")
    with context(actor=options["actor"], using=using):
        count = _release(given[0], options[given[0]], using)
    command.stdout.write(f"Released {count} hold{'' if count == 1 else 's'}.")


def _release(kind: str, value: Any, using: str) -> int:
    if kind == "reference":
        return release(reference=value, using=using)
    if kind == "row":
        value = row_of(value, using)
    elif kind == "policy":
        get_policy(value)
    return release(value, using=using)
