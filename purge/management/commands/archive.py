"""`manage.py archive`: which archives there are, whether they are whole, and bringing rows back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from lifecycle.exceptions import LifecycleError
from lifecycle.management.output import make_visible
from lifecycle.management.plain import PlainCommand, add_common_options, line_of
from purge.management.archive import SUBCOMMANDS


class Command(PlainCommand):
    help = "List and verify archives, and bring their rows back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        for name, module in SUBCOMMANDS.items():
            command = commands.add_parser(name, help=module.HELP, description=module.HELP)
            command.add_argument("--prefix", help="where archives are; default: of the policies")
            command.add_argument("--database", metavar="ALIAS", help=module.DATABASE)
            module.add_arguments(command)
            add_common_options(command, parser)

    def handle(self, *args: Any, **options: Any) -> None:
        make_visible(self)
        try:
            SUBCOMMANDS[options["command"]].run(self, options)
        except LifecycleError as error:
            raise CommandError(line_of(error)) from error
