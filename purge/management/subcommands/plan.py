"""`manage.py lifecycle plan`: one act on many rows, written down before anything is done."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import override

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import model_of
from lifecycle.management.arguments import add_actor, add_json, add_policy
from lifecycle.management.databases import databases_of
from lifecycle.management.output import write_json
from lifecycle.management.targets import future
from purge.models import Plan
from purge.plans.apply import approve_plan, withdraw_plan
from purge.plans.make import plan
from purge.plans.telling import as_data, as_text, left_out
from purge.plans.where import conditions_of, rows_where

HELP = "Plan an act on many rows: hold, release, restore, extend, purge. `apply` carries it out."
STEPS = ("list", "show", "approve", "withdraw")


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("act", choices=[*Plan.Act.values, *STEPS])
    parser.add_argument(
        "target", nargs="?", metavar="app.Model|PLAN", help="rows, or a plan's number"
    )
    parser.add_argument(
        "--where", action="append", default=[], metavar="FIELD__LOOKUP=VALUE",
        help="a condition on the model's own columns; several must all match",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="every row of the model")
    add_policy(parser, "of purge, restore and extend, where the model has several")
    parser.add_argument("--reason", default="", help="why; written into the ledger by a hold")
    parser.add_argument("--reference", default="", help="of a case; of release: only its holds")
    parser.add_argument("--until", metavar="DATE", help="of extend, and of hold")
    add_actor(parser)
    add_json(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Make a plan, or say something of one."""
    if options["act"] == "list":
        _list(command, options, databases)
    elif options["act"] in STEPS:
        _step(command, options, _number(options))
    else:
        _make(command, options)


def _list(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    plans = [each for using in databases for each in Plan.objects.using(using).order_by("-id")[:50]]
    if options["json"]:
        write_json(command, [as_data(each) for each in plans])
        return
    for each in plans:
        with override(None):  # commands speak English
            command.stdout.write(f"{each}: {Plan.State(each.state).label}")
    if not plans:
        command.stdout.write("There is no plan.")


def _number(options: dict[str, Any]) -> int:
    if not (options["target"] or "").isdecimal():
        raise LifecycleError("Say which plan, by its number: `manage.py lifecycle plan list`.")
    return int(options["target"])


def _step(command: BaseCommand, options: dict[str, Any], number: int) -> None:
    (using,) = databases_of(options["database"], number=number)
    found = Plan.objects.using(using).filter(pk=number).first()
    if options["act"] == "approve":
        found = approve_plan(number, options["actor"], using)
    elif options["act"] == "withdraw":
        found = withdraw_plan(number, options["actor"], using)
    if found is None:
        raise LifecycleError(f"There is no plan {number}.")
    _show(command, options, found, using)


def _make(command: BaseCommand, options: dict[str, Any]) -> None:
    if not options["target"]:
        raise LifecycleError("Say of which model: app.Model.")
    if bool(options["where"]) == options["all"]:
        raise LifecycleError(
            "Say which rows by --where field__lookup=value, or --all for every row."
        )
    model = model_of(options["target"])
    (using,) = databases_of(options["database"], row=options["target"])
    asked = conditions_of(model, options["where"])
    names = ("reason", "reference", "actor")
    made = plan(
        options["act"], rows_where(model, asked, using), policy=options["policy"] or "",
        until=future(options["until"]), using=using, asked=asked,
        **{name: options[name] for name in names},
    )  # fmt: skip
    _show(command, options, made, using)


def _show(command: BaseCommand, options: dict[str, Any], found: Plan, using: str) -> None:
    left = left_out(found, using)
    if options["json"]:
        write_json(command, as_data(found) | {"left_out": left})
        return
    command.stdout.write(as_text(found))
    for reason, names in left.items():
        command.stdout.write(f"  {reason}: {', '.join(names)}")
