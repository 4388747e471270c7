"""`manage.py lifecycle report`: the last days and the next, to read, to file, to send."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.core.validators import validate_email
from django.utils.translation import override

from lifecycle.exceptions import LifecycleError
from lifecycle.management import output
from lifecycle.management.arguments import add_json, add_language
from purge.reports.report import DAYS, Report, reports
from purge.reports.texts import as_html, as_text, mail

HELP = "What was purged, archived, restored, what is held or blocked, what goes in the next days."
MOST_DAYS = 3650


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("--days", type=days, default=DAYS, metavar="N", help="of the past; 7")
    parser.add_argument("--email", action="append", metavar="ADDRESS", default=[], help="send it")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as a page")
    add_language(parser, "of page and mail")
    add_json(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Print it; then write and send it where that is asked for."""
    for address in options["email"]:
        _refuse_wrong(address)
    made = reports(options["days"], databases)
    with override(None):  # commands speak English
        command.stdout.write(as_json(made) if options["json"] else as_text(made), ending="")
    if options["html"]:
        with override(options["language"] or settings.LANGUAGE_CODE):
            _write(options["html"], as_html(made))
        command.stderr.write(f"Written to {options['html']}.")
    if options["email"]:
        _send(made, options["email"], options["language"])
        command.stderr.write(f"Sent to {', '.join(options['email'])}.")


def days(text: str) -> int:
    """A whole number of days, at least one."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST_DAYS:
        raise ArgumentTypeError(f"{text!r} is no number of days from 1 to {MOST_DAYS}.")
    return int(text)


def as_json(made: list[Report]) -> str:
    """A list of objects; times and dates in ISO 8601."""
    data = [asdict(report) | {"problems": report.problems} for report in made]
    for report in data:
        for line in report["lines"]:
            line["soon"] = {f"{day}": count for day, count in line["soon"].items() if count}
    return output.as_json(data) + "\n"


def _refuse_wrong(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise LifecycleError(f"{address!r} is no mail address.") from error


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise LifecycleError(f"{path} cannot be written: {error.strerror}.") from error


def _send(made: list[Report], to: list[str], language: str | None) -> None:
    try:
        mail(made, *to, language=language)
    except Exception as error:  # a backend raises what its library raises
        raise LifecycleError(f"The mail was not sent: {type(error).__name__}: {error}") from error
