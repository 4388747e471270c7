"""`manage.py lifecycle status`: each policy with what its agenda lists, and what is wrong."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from rich.table import Table

from lifecycle import states
from lifecycle.capture import Signals
from lifecycle.conf import conf
from lifecycle.console import console_of
from lifecycle.db import fetch, statement
from lifecycle.fingerprint import fingerprint
from lifecycle.keys import label_of
from lifecycle.models import PolicyState
from lifecycle.places import is_at
from lifecycle.policy import Policy
from lifecycle.registry import all_policies, get_policy

HELP = "Each policy with what is due; exit code 1 when one is not well."


@dataclass
class Status:
    """One policy, in rows.

    `held` counts the holds on it and on rows of its table, `barred` says that one is on all of it;
    `lag` is how long something due has waited at most, in seconds.
    """

    policy: str
    table: str
    state: str
    scheduled: int = 0
    due: int = 0
    tombstoned: int = 0
    held: int = 0
    blocked: int = 0
    failed: int = 0
    next_due: datetime | None = None
    lag: float | None = None
    fingerprint: str = ""
    barred: bool = False
    capture: str = ""
    blind_to: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    database: str = ""


def add_arguments(parser: ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("policies", nargs="*", metavar="policy", help="only these")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--max-lag", type=float, default=conf.MAX_LAG, metavar="SECONDS",
        help="more is a problem. Default: LIFECYCLE_MAX_LAG, which is 600",
    )  # fmt: skip


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Print; exits with 1 when something is wrong."""
    chosen = [get_policy(name).name for name in options["policies"]]
    found = [
        each
        for using in databases
        for each in statuses(using, options["max_lag"])
        if not chosen or each.policy in chosen
    ]
    if options["json"]:
        command.stdout.write(json.dumps([asdict(each) for each in found], default=str, indent=2))
    else:
        _print(command, found)
    if any(each.problems for each in found):
        sys.exit(1)


def statuses(using: str, max_lag: float) -> list[Status]:
    """Every policy that the code declares for the database, or that it knows, by name."""
    stored = {row[0]: Status(*row) for row in fetch(using, statement(states.__file__, "status"))}
    declared = {policy.name: policy for policy in all_policies()}
    here = {name for name, policy in declared.items() if is_at(policy.model, using)}
    for name in here - stored.keys():
        stored[name] = Status(name, label_of(declared[name]), "")
    for name in declared.keys() & stored.keys() - here:
        if not _lists(stored[name]):
            del stored[name]  # its rows are in another database, where it is told
    for name, each in stored.items():
        each.database = using
        _describe(each, declared.get(name))
        each.problems = _problems(each, declared.get(name), max_lag)
    return [stored[name] for name in sorted(stored)]


def _lists(each: Status) -> bool:
    return bool(each.scheduled or each.due or each.tombstoned or each.held)


def _describe(each: Status, policy: Policy | None) -> None:
    if policy is None:
        return
    each.capture = "triggers" if policy.capture.triggers else "signals"
    each.blind_to = Signals.blind_to if isinstance(policy.capture, Signals) else ()


def _problems(each: Status, policy: Policy | None, max_lag: float) -> list[str]:
    if policy is None:
        gone = each.state == PolicyState.State.REMOVED
        return [] if gone else ["not declared in this code: nothing of it ends"]
    if not each.state:
        return ["not in the database: run migrate"]
    found = []
    if each.fingerprint != fingerprint(policy):
        found.append("declared differently in the database: run migrate, or update this code")
    if each.state == PolicyState.State.HALTED:
        found.append("halted by a brake: look, then `manage.py lifecycle resume --actor NAME`")
    if each.blocked:
        found.append(f"{each.blocked} rows cannot end: their `blocked` events say why")
    if each.failed:
        found.append(f"{each.failed} rows whose due time could not be computed")
    acts = each.state == PolicyState.State.ENABLED and not each.barred
    if acts and (each.lag or 0) > max_lag:
        found.append(f"{_span(each.lag)} behind: does a worker run?")
    return found


COLUMNS = ("scheduled", "due", "tombstoned", "held", "blocked")


def _print(command: BaseCommand, found: list[Status]) -> None:
    table = Table(title="Policies")
    several = len({each.database for each in found}) > 1
    for column in ("policy", "table", "state", *COLUMNS, "next due", "lag"):
        table.add_column(column, justify="right" if column in COLUMNS else "left")
    for each in found:
        counts = [str(getattr(each, column)) for column in COLUMNS]
        due = f"{each.next_due:%Y-%m-%d %H:%M:%S}" if each.next_due else ""
        table.add_row(each.policy, _place(each, several), each.state, *counts, due, _span(each.lag))
    console = console_of(command)
    console.print(table)
    for each in found:
        if each.blind_to:
            console.print(f"{each.policy}: signals do not see {', '.join(each.blind_to)}")
        for problem in each.problems:
            console.print(f"{each.policy}: {problem}")


def _place(each: Status, several: bool) -> str:
    return f"{each.table} ({each.database})" if several else each.table


def _span(seconds: float | None) -> str:
    return str(timedelta(seconds=int(seconds))) if seconds else ""
