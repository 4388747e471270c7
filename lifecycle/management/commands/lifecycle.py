"""`manage.py lifecycle`: show the policies and steer them, by subcommands."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from lifecycle.db.version import require
from lifecycle.exceptions import LifecycleError
from lifecycle.management.databases import databases_of
from lifecycle.management.extensions import subcommands
from lifecycle.management.output import make_visible
from lifecycle.management.plain import PlainCommand, add_common_options, line_of

DATABASE = "default: where its policy or row is written, else each that has a ledger"


class Command(PlainCommand):
    help = "Show and steer the retention policies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        for name, module in subcommands().items():
            command = commands.add_parser(name, help=module.HELP, description=module.HELP)
            command.add_argument("--database", metavar="ALIAS", help=DATABASE)
            if hasattr(module, "add_arguments"):
                module.add_arguments(command)
            add_common_options(command, parser)

    def handle(self, *args: Any, **options: Any) -> None:
        make_visible(self)
        module = subcommands()[options["command"]]
        try:
            which = (options.get(name) for name in ("database", "policy", "row", "number"))
            databases = databases_of(*which)
            if hasattr(module, "run_on_all"):
                for using in databases:
                    _require(module, using)
                module.run_on_all(self, options, databases)
                return
        except LifecycleError as error:
            raise CommandError(line_of(error)) from error
        self.run_on_each(module, options, databases)

    def run_on_each(self, module: Any, options: dict[str, Any], databases: list[str]) -> None:
        """One database after the other; an error in one is raised after the others are done."""
        errors: list[Exception] = []
        for using in databases:
            if len(databases) > 1:
                self.stderr.write(f"Database {using}:")
            try:
                _require(module, using)
                module.run(self, options | {"database": using})
            except (LifecycleError, CommandError) as error:
                errors.append(error)
        if errors:
            text = "\n".join(map(line_of, errors))
            code = max(getattr(error, "returncode", 1) for error in errors)
            raise CommandError(text, returncode=code) from errors[0]


def _require(module: Any, using: str) -> None:
    if not getattr(module, "ANY_VERSION", False):
        require(using)
