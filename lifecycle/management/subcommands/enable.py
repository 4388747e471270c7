"""`manage.py lifecycle enable`: what a policy would end, then, if wanted, it ends rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.db.version import to_install
from lifecycle.exceptions import LifecycleError
from lifecycle.insight.forecast import Forecast, forecast
from lifecycle.ledger import policy_states as states
from lifecycle.management.arguments import add_actor, add_policy, add_yes, agreed
from lifecycle.management.output import console_of, local_time
from lifecycle.models import PolicyState
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import hours_of
from lifecycle.policy.registry import get_policy

HELP = "Show what a policy that only observes would end; then let it."
BAR = 30  # characters
State = PolicyState.State


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy(parser, nargs="?", required=True)
    add_actor(parser)
    add_yes(parser)
    parser.add_argument("--dry-run", action="store_true", help="only show")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Show, ask, enable and say so."""
    policy, using = get_policy(options["policy"]), options["database"]
    _refuse(policy, using, options["dry_run"])
    show(command, policy, forecast(policy, using))
    if options["dry_run"]:
        return
    if not agreed(command, f"Enable {policy.name}?", options):
        command.stdout.write("Nothing was changed.")
        return
    states.enable(policy.name, options["actor"], using)
    command.stdout.write(f"{policy.name} is enabled: it ends rows from now on.")


def _refuse(policy: Policy, using: str, dry: bool) -> None:
    stored = PolicyState.objects.using(using).filter(name=policy.name).first()
    if stored is None:
        raise LifecycleError(f"{policy.name} is not in the database yet: {to_install(using)}.")
    if stored.fingerprint != fingerprint(policy):
        raise LifecycleError(
            f"{policy.name} is declared differently in the database: {to_install(using)}, "
            "or enable it from the code that is deployed."
        )
    if stored.state != State.OBSERVE and not dry:
        raise LifecycleError(f"{policy.name} is {stored.state}, not {State.OBSERVE}.")


def show(command: BaseCommand, policy: Policy, preview: Forecast) -> None:
    """Print what a policy would end."""
    console = console_of(command)
    console.print(f"{policy.name} on {label_of(policy)}, as of now:")
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(justify="right")
    facts.add_column()
    for count, words in _facts(preview):
        facts.add_row(f"{count:,}", words)
    console.print(facts)
    for line in _remarks(policy, preview):
        console.print(line)
    _print_days(console, policy, preview)


def _facts(preview: Forecast) -> list[tuple[int, str]]:
    table = [
        (preview.matching, "rows match"),
        (preview.past, "are past their end"),
        (preview.kept, "of these are kept now"),
    ]
    most = " at most: some of them may be gone" if preview.at_most else ""
    known = [(count, words) for count, words in table if count is not None]
    return [
        *known,
        (preview.listed, f"are on the agenda{most}"),
        (preview.due, f"of these are due now{most}"),
        (preview.held, "holds are in force"),
    ]


def _remarks(policy: Policy, preview: Forecast) -> list[str]:
    lines = [f"The table was not counted: {preview.unread}."] if preview.unread else []
    if preview.oldest:
        label, (key, due) = policy.model._meta.concrete_model._meta.label, preview.oldest  # type: ignore[union-attr]
        lines.append(f"The first to end: {label}:{key}, at {local_time(due)}.")
    if preview.unlisted and is_partitioned(policy):
        lines.append(
            f"At least {preview.unlisted:,} rows with an end are in partitions that are not listed:"
            " each is within a minute, once it is over."
        )
    elif preview.unlisted:
        lines.append(
            f"At least {preview.unlisted:,} rows with an end are not on the agenda yet: "
            "backfill lists them."
        )
    if preview.backfill and not preview.backfill.finished:
        lines.append(f"Backfill has not come to its end: {preview.backfill} are read.")
    if hours := hours_of(policy):
        lines.append(f"Rows go from {hours[0]} until before {hours[1]} o'clock only.")
    cap = f"The brake: {preview.cap:,} rows in 24 hours, {preview.left:,} are left of them."
    lines.append(f"{cap} It would halt the policy at once." if preview.over else cap)
    return lines


def _print_days(console: Console, policy: Policy, preview: Forecast) -> None:
    words = "purged" if policy.disposition.hides else "updated"
    if preview.own_grace:
        words = "tombstoned (each row has its own grace)"
    console.print(f"Rows {words} per day:")
    table = Table(box=None, show_header=False, pad_edge=False)
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify)
    most = max(preview.days.values())
    for day, count in preview.days.items():
        bar = "#" * -(-BAR * count // most) if count else ""
        table.add_row(f"{day:%Y-%m-%d}", f"{count:,}", bar)
    console.print(table)
