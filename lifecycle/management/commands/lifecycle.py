"""`manage.py lifecycle`: look at the policies and steer them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from lifecycle.errors import LifecycleError
from lifecycle.management.subcommands import SUBCOMMANDS


class Command(BaseCommand):
    help = "Show and steer the retention policies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        for name, module in SUBCOMMANDS.items():
            command = commands.add_parser(name, help=module.HELP, description=module.HELP)
            command.add_argument("--database", default=DEFAULT_DB_ALIAS)
            module.add_arguments(command)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            SUBCOMMANDS[options["command"]].run(self, options)
        except LifecycleError as error:
            raise CommandError(str(error)) from error
