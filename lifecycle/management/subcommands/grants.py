"""`manage.py lifecycle grants`: what roles that own nothing need, as SQL; with `--apply` made."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from lifecycle.exceptions import LifecycleError
from lifecycle.install import roles

HELP = "Print the grants of the roles of the site and its officers, the worker and a reader."


def add_arguments(parser: ArgumentParser) -> None:
    """The roles, and whether the grants are made."""
    parser.add_argument("--site", metavar="ROLE", required=True, help="runs the web processes")
    parser.add_argument("--officer", metavar="ROLE", help="the same, and makes and applies plans")
    parser.add_argument("--worker", metavar="ROLE", required=True, help="ends rows")
    parser.add_argument("--reader", metavar="ROLE", help="reads the ledger")
    parser.add_argument(
        "--apply", action="store_true", help="make the grants; connect as the owner"
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print the statements, or make them in one transaction."""
    using = options["database"]
    given = [roles.Role(kind, options[kind]) for kind in roles.FUNCTIONS if options[kind]]
    if len({role.name for role in given}) < len(given):
        raise LifecycleError(
            "One role for two of them has the rights of both: name different ones."
        )
    statements = roles.grants(given, using)
    if not options["apply"]:
        command.stdout.write("\n".join(f"{text};" for text in statements))
        return
    try:
        roles.apply(statements, using)
    except DatabaseError as error:
        why = str(error).splitlines()[0]
        raise LifecycleError(f"{why}: connect as the role that migrates.") from error
    command.stdout.write(f"Granted to {', '.join(role.name for role in given)}.")
    for role in given:
        if more := roles.further(role, using):
            text = f"{role.name} may also {'; '.join(more)}: more than the {role.kind} needs."
            command.stdout.write(f"{text} REVOKE it where it is left from another use.")
