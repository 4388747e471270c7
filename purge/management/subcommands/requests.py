"""`manage.py lifecycle requests`: requests for erasure, with their deadlines."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import parse
from lifecycle.management.arguments import add_actor, add_json, add_policy
from lifecycle.management.databases import databases_of
from lifecycle.management.output import write_json
from lifecycle.management.targets import duration, moment
from purge.models import Request
from purge.requests.ask import answer_request, extend_request, receipt_of, request_key
from purge.requests.telling import as_data, is_overdue, line_of

HELP = (
    "Requests for erasure: list them, open, extend or answer one. Exit code 1 while one is overdue."
)
STEPS = ("list", "open", "show", "extend", "answer")
MOST = 1000


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("step", nargs="?", default="list", choices=STEPS)
    parser.add_argument("target", nargs="?", metavar="app.Model:pk|NUMBER")
    parser.add_argument("--all", action="store_true", help="those that are closed too")
    parser.add_argument("--overdue", action="store_true", help="only those that are")
    parser.add_argument("--reference", default="", help="of the request, written into the ledger")
    parser.add_argument(
        "--received", metavar="DATE", help="the deadline counts from it. Default: now"
    )
    parser.add_argument("--grace", type=duration, metavar="TIME", help="0, 12h, 7d: as of erase")
    parser.add_argument("--reason", default="", help="of extend and answer; the person is told")
    add_policy(parser, "where the model has several for requests")
    add_actor(parser)
    add_json(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """List, or say something of one."""
    if options["step"] == "list":
        _list(command, options, databases)
    elif options["step"] == "open":
        _show(command, options, *_open(options))
    else:
        _show(command, options, *_said(options))


def _list(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    found = [(each, using) for using in databases for each in _found(options, using)]
    if options["json"]:
        write_json(command, [as_data(each, using) for each, using in found])
    else:
        for each, using in found:
            command.stdout.write(line_of(each, using))
        if not found:
            command.stdout.write("No request is overdue." if options["overdue"] else "No request.")
    late = sum(is_overdue(each) for each, _ in found)
    if late:
        raise LifecycleError(f"{late} request{'s are' if late > 1 else ' is'} overdue.")


def _found(options: dict[str, Any], using: str) -> list[Request]:
    found = Request.objects.using(using).order_by("due_at", "id")
    if not options["all"] or options["overdue"]:
        found = found.filter(done_at=None)
    rows = list(found[:MOST])
    return [each for each in rows if is_overdue(each)] if options["overdue"] else rows


def _open(options: dict[str, Any]) -> tuple[Request, str]:
    if not options["target"]:
        raise LifecycleError("Say which row: app.Model:pk.")
    model, key = parse(options["target"])
    (using,) = databases_of(options["database"], row=options["target"])
    made = request_key(
        model, key, options["reference"], moment(options["received"]), options["grace"],
        options["policy"], options["actor"], using,
    )  # fmt: skip
    return made, using


def _said(options: dict[str, Any]) -> tuple[Request, str]:
    if not (options["target"] or "").isdecimal():
        raise LifecycleError("Say which request, by its number: `manage.py lifecycle requests`.")
    number, who = int(options["target"]), (options["reason"], options["actor"])
    (using,) = databases_of(options["database"], number=number)
    if options["step"] == "extend":
        return extend_request(number, *who, using), using
    if options["step"] == "answer":
        return answer_request(number, *who, using), using
    found = Request.objects.using(using).filter(pk=number).first()
    if found is None:
        raise LifecycleError(f"There is no request {number}.")
    return found, using


def _show(command: BaseCommand, options: dict[str, Any], found: Request, using: str) -> None:
    if options["json"]:
        write_json(command, as_data(found, using))
        return
    command.stdout.write(line_of(found, using))
    for receipt in receipt_of(found, using):
        command.stdout.write(receipt.as_text())
        if receipt.state in ("purged", "updated"):
            command.stdout.write(
                f"  proof     `manage.py lifecycle certificate --reference {found.reference}`"
            )
