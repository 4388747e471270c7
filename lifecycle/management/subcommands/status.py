"""`manage.py lifecycle status`: each policy with what its agenda lists, and what is wrong."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from lifecycle.exceptions import NoPolicy
from lifecycle.insight.media_status import media_status
from lifecycle.insight.status import Status, statuses
from lifecycle.management.arguments import add_json, add_policy
from lifecycle.management.output import console_of, fits, local_time, write_json
from lifecycle.policy.registry import get_policy

HELP = "Each policy with what is due; exit code 1 when one is not well."


def add_arguments(parser: ArgumentParser) -> None:
    """The command's own options."""
    add_policy(parser, "only these", nargs="*")
    add_json(parser)
    parser.add_argument(
        "--max-lag", type=float, metavar="SECONDS",
        help="more is a problem; default: the setting LIFECYCLE_MAX_LAG, 600",
    )  # fmt: skip


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Print; exits with 1 when something is wrong."""
    every = [each for using in databases for each in _all(using, options["max_lag"])]
    shown = [each for each in every if each.policy in (options["policies"] or (each.policy,))]
    _refuse_unknown(options["policies"], shown)
    if options["json"]:
        write_json(command, [asdict(each) for each in shown])
    else:
        _print(console_of(command), shown)
    if any(each.problems for each in shown):
        sys.exit(1)


def _all(using: str, max_lag: float | None) -> list[Status]:
    return [*statuses(using, max_lag), *media_status(using, max_lag)]


def _refuse_unknown(names: list[str], shown: list[Status]) -> None:
    for name in set(names) - {each.policy for each in shown}:
        get_policy(name)  # says which name is near
        raise NoPolicy(f"{name} is not in this database.")


Column = tuple[str, Callable[[Status], str]]
NAME: list[Column] = [("policy", lambda each: each.policy)]
STATE: list[Column] = [("state", lambda each: each.state)]
ROWS: list[Column] = [
    (name, lambda each, name=name: str(getattr(each, name)))  # type: ignore[misc]
    for name in ("scheduled", "due", "tombstoned", "kept", "blocked", "held")
]
TABLE: list[Column] = [("table", lambda each: each.table)]
PLACE: list[Column] = [("table", lambda each: f"{each.table} ({each.database})")]


def _print(console: Console, shown: list[Status]) -> None:
    """One table where the terminal is wide enough, else two: rows, then times."""
    several = len({each.database for each in shown}) > 1
    place = PLACE if several else TABLE
    one = _table(NAME + place + STATE + ROWS + TIMES, shown)
    if fits(console, one):
        console.print(one)
    else:
        console.print(_table(NAME + STATE + ROWS, shown))
        console.print()
        console.print(_table(NAME + TIMES + place, shown))
    for each in shown:
        for line in (*_remarks(each), *each.problems):
            console.print(f"{each.policy}: {line}")


def _table(columns: list[Column], shown: list[Status]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numbers = column in ROWS or column[0] == "lag"
        long = column[0] in ("policy", "table")
        overflow: Any = "fold" if long else "ellipsis"
        table.add_column(
            column[0], justify="right" if numbers else "left", overflow=overflow,
            no_wrap=not long,
        )  # fmt: skip
    for each in shown:
        table.add_row(*(value(each) for _, value in columns))
    return table


def _remarks(each: Status) -> list[str]:
    lines = [each.stages.rstrip(".")] if each.stages else []
    if each.capture == "windows":
        lines.append("scheduled, due and tombstoned are windows; nobody has counted their rows")
    if each.capture == "partitions":
        lines.append("scheduled and due are rows of partitions, estimated by the planner")
    if each.at_most:
        lines.append("at most so many rows: some that the agenda lists may be gone")
    if each.opens_at:
        lines.append(f"outside its purge hours until {local_time(each.opens_at)}")
    if each.barred:
        lines.append("all of it is held")
    if each.held and each.enforced:
        lines.append("its holds stop the site's own deletes too")
    lines += [f"slowed down: {why}" for why in each.slowed]
    if each.backfill:
        lines.append(f"backfill: {each.backfill} read")
    if each.blind_to:
        lines.append(f"signals do not see {', '.join(each.blind_to)}")
    if each.last_error:
        lines.append(f"its last run ended with {each.last_error}")
    return lines


TIMES: list[Column] = [
    ("lag", lambda each: str(timedelta(seconds=int(each.lag or 0))) if each.lag else ""),
    ("last run", lambda each: local_time(each.last_run)),
    ("next due", lambda each: local_time(each.next_due)),
]
