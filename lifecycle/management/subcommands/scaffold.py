"""`manage.py lifecycle scaffold`: a ready-made policy for a package's models, to paste."""

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand

from lifecycle.scaffolds import names, scaffold

HELP = "Print proxy and policy for the models of a package."
ANY_VERSION = True  # it asks no database


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("name", nargs="?", help=f"{', '.join(names())}; without: what they do")
    parser.add_argument("--only", choices=("models", "policies"), help="the text of one file")


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Print it; changes nothing."""
    if not options["name"]:
        for each in map(scaffold, names()):
            command.stdout.write(f"{each.name}: {' '.join(each.says.split())}")
        return
    chosen = scaffold(options["name"])
    if not apps.is_installed(chosen.needs):
        command.stderr.write(f"{chosen.needs!r} is not in INSTALLED_APPS.")
    text = getattr(chosen, options["only"]) if options["only"] else chosen.as_text()
    command.stdout.write(text)
