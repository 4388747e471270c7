"""`manage.py lifecycle backfill`: list the rows that the triggers did not see, now."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from lifecycle.backfill.progress import Step, ask, progress, refuse_stopped, step, waiting
from lifecycle.management.arguments import add_policy
from lifecycle.management.output import console_of, progress_bar
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy

HELP = "List the rows that were there before the policy, or came past the triggers."
BUSY = 0.2  # seconds until the next attempt while the worker reads the table
INTERRUPTED = 130  # the shell's exit code after Ctrl-C


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy(parser, "this one, from the beginning of its table")
    parser.add_argument("--rate", type=int, metavar="ROWS", help="at most so many rows a second")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Read to the end, with a bar; a policy that was asked for is read even if it was before."""
    using, rate, name = options["database"], options["rate"], options["policy"]
    if rate is not None and rate < 1:
        raise CommandError("--rate must be 1 or more.")
    if name is not None:
        ask(get_policy(name), using)
    policies = waiting(using, hurried=True) if name is None else [get_policy(name)]
    if not policies:
        command.stdout.write("No table is marked; --policy NAME reads one all the same.")
    for policy in policies:
        try:
            _read(policy, using, rate, console_of(command))
        except KeyboardInterrupt:
            text = f"{policy.name}: {progress(policy, using)} read. The worker goes on from there."
            command.stderr.write(text)
            sys.exit(INTERRUPTED)
        done = progress(policy, using)
        command.stdout.write(f"{policy.name}: {done.read} rows read, {done.listed} listed.")  # type: ignore[union-attr]


def _read(policy: Policy, using: str, rate: int | None, console: Console) -> None:
    with progress_bar(console, policy.name) as update:
        while (state := progress(policy, using)) and not state.finished:
            update(completed=state.read, total=state.about or None)
            chunk = step(policy, using, hurried=True)
            if chunk is None:
                refuse_stopped(policy, using)
            time.sleep(_pause(chunk, rate))


def _pause(chunk: Step | None, rate: int | None) -> float:
    """Seconds until the next chunk is read."""
    if chunk is None:
        return BUSY
    return chunk.rows / rate if rate and not chunk.finished else 0
