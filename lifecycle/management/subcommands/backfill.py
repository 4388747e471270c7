"""`manage.py lifecycle backfill`: list the rows that the triggers did not see, now."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from lifecycle.backfill.progress import Step, ask, progress, refuse_stopped, step, waiting
from lifecycle.management.console import console_of
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy

HELP = "List the rows that were there before the policy, or came past the triggers."
BUSY = 0.2  # seconds until it is tried again where the worker reads
INTERRUPTED = 130  # the shell's exit code after Ctrl-C


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("--policy", help="this one, from the beginning of its table")
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
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(policy.name)
        while (come := progress(policy, using)) and not come.finished:
            bar.update(task, completed=come.read, total=come.about or None)
            done = step(policy, using, hurried=True)
            if done is None:
                refuse_stopped(policy, using)
            time.sleep(_pause(done, rate))


def _pause(done: Step | None, rate: int | None) -> float:
    if done is None:
        return BUSY
    return done.rows / rate if rate and not done.finished else 0
