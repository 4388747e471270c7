"""`manage.py lifecycle concept`: what an officer files: each model, when its rows end, and why."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import override

from lifecycle.concept import forms
from lifecycle.concept.entries import UNDECIDED, Entry, entries
from lifecycle.management.arguments import add_language
from lifecycle.management.output import as_json
from lifecycle.models import PolicyState

HELP = "The deletion concept: each model, its data, when its rows end, why, who is responsible."
FORMS: dict[str, Callable[[list[Entry], datetime], str]] = {
    "md": forms.as_markdown,
    "html": forms.as_html,
    "csv": lambda found, made: forms.as_csv(found),
    "json": lambda found, made: as_json(forms.as_data(found, made)) + "\n",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("--format", choices=FORMS, default="md", help="md, where none is named")
    add_language(parser, "of md and html")
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="--format json"
    )


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Print it; the error output names the models of which nobody has said when their rows end."""
    states: dict[str, str] = {}
    for using in databases:
        states |= dict(PolicyState.objects.using(using).values_list("name", "state"))
    data = options["format"] in ("csv", "json")  # for programs: English
    with override(None if data else options["language"] or settings.LANGUAGE_CODE):
        found = entries(states)
        written = FORMS[options["format"]](found, datetime.now(UTC))
    command.stdout.write(written, ending="")
    undecided = ", ".join(entry.model for entry in found if entry.rule == UNDECIDED)
    if undecided:
        command.stderr.write(f"Nobody has said when the rows of these end: {undecided}.")
