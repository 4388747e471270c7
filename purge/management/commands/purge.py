"""`manage.py purge`: one pass now over what is due."""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lifecycle.db.connection import scalar
from lifecycle.db.version import mismatch
from lifecycle.exceptions import LifecycleError
from lifecycle.logs import Log
from lifecycle.management.console import console_of
from lifecycle.management.databases import databases_of
from lifecycle.policy.databases import served
from lifecycle.policy.purge_hours import OUTSIDE, is_open
from lifecycle.policy.registry import all_policies, get_policy
from purge.alerts import watch as alerts
from purge.batch.brakes import standing
from purge.batch.outcome import Outcome
from purge.management import replay as replaying
from purge.media.run import run_media
from purge.passes.due import due_policies, due_rows
from purge.passes.options import PassOptions
from purge.runner import turns
from purge.worker.backfill import read_now

FILES = "(media)"  # in place of a policy's name; counts are of names

log = Log("purge")


class Command(BaseCommand):
    help = "Tombstone and purge what is due now; any scheduler may run it instead of the worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--policy", help="only this policy")
        parser.add_argument(
            "--limit", type=int, help="look at no more than this many rows a policy"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show, then take everything back"
        )
        replaying.add_options(parser)
        parser.add_argument("--database", metavar="ALIAS", help="default: each that has a ledger")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be 1 or more.")
        try:
            replaying.refuse_strays(options)
            if options["policy"]:
                get_policy(options["policy"])
            databases = databases_of(options["database"], options["policy"])
            failed = [why for using in databases if (why := self.run_in(using, options))]
        except LifecycleError as error:
            raise CommandError(str(error)) from error
        if failed:
            raise CommandError("\n".join(failed))

    def run_in(self, using: str, options: dict[str, Any]) -> str:
        """A replay if it was asked for, and a pass; why they did not do everything, in words."""
        if why := mismatch(using):
            return why
        left = replaying.run(self, options, using) if options["replay"] else ""
        return "\n".join(filter(None, (left, self.run_due(using, options))))

    def run_due(self, using: str, options: dict[str, Any]) -> str:
        """A pass over one database; why it did not do everything, in words."""
        how = PassOptions("purge", limit=options["limit"], dry=options["dry_run"], using=using)
        if not how.dry:
            for name, come in read_now(using, options["policy"]).items():
                self.stderr.write(f"{name}: backfill, {come}")
        names = [options["policy"]] if options["policy"] else due_policies(using)
        console = console_of(self)
        console.quiet = options["json"]
        done = self.run_each(names, how, console) | self.run_media(how)
        if not how.dry:
            alerts.watch(how.using)
        place = f" in {using}" if len(served()) > 1 else ""
        shown = {name: each for name, each in done.items() if name != FILES or each.looked}
        console.print(summary(shown, how.dry, place) if shown else f"Nothing is due{place}.")
        for name, why in stopped(done, using).items():
            self.stderr.write(f"{name}: {why}")
        if any(outcome.halted for outcome in done.values()):
            return "A brake stopped a policy."
        failed = [name for name in [*names, FILES] if name not in done]
        said = [f"An error stopped {', '.join(failed)}; the others were run."] if failed else []
        if FILES in done and (waiting := done[FILES].locked):
            said.append(f"{waiting} files wait: their store does not answer.")
        return "\n".join(said)

    def run_each(self, names: list[str], how: PassOptions, console: Console) -> dict[str, Outcome]:
        """What became of each policy; one that an error stopped is logged, and left out."""
        done = {}
        for name in names:
            try:
                done[name] = self.run_one(name, how, console)
            except Exception:
                log("run_failed", f"{name}: run failed", policy=name, database=how.using)
        return done

    def run_media(self, how: PassOptions) -> dict[str, Outcome]:
        """What became of the media that are due, also those of rows that have just gone."""
        try:
            return {FILES: run_media(how.using, replace(how))}
        except Exception:
            log("run_failed", "media: run failed", database=how.using)
            return {}

    def run_one(self, name: str, how: PassOptions, console: Console) -> Outcome:
        """One policy, with a bar as long as what its agenda lists."""
        total = Outcome()
        quiet = not console.is_terminal
        with Progress(console=console, transient=True, disable=quiet) as progress:
            bar = progress.add_task(name, total=due_rows(name, how.using) or None)
            for total in turns(get_policy(name), replace(how)):
                progress.update(bar, completed=total.looked)
        return total


def stopped(done: dict[str, Outcome], using: str) -> dict[str, str]:
    """Why policies that have something due end nothing, or nothing more."""
    waiting = [policy for policy in all_policies() if due_rows(policy.name, using)]
    now = scalar(using, "SELECT lifecycle.now_v1()")
    found = {p.name: OUTSIDE for p in waiting if not is_open(p, now)}
    found |= {p.name: standing(p, using) or found.get(p.name, "") for p in waiting}
    found |= {name: outcome.stopped for name, outcome in done.items() if outcome.stopped}
    return {name: why for name, why in sorted(found.items()) if why}


def summary(done: dict[str, Outcome], dry: bool, place: str = "") -> Table:
    """What was done, a line each policy."""
    table = Table(title=f"Dry run{place}: nothing was changed" if dry else f"Purge{place}")
    columns = list(Outcome().counts())
    for column in ("policy", *columns, *(("first",) if dry else ())):
        table.add_column(column, justify="left" if column in ("policy", "first") else "right")
    for name, outcome in done.items():
        cells = [str(count) for count in outcome.counts().values()]
        table.add_row(name, *cells, *((", ".join(outcome.sample[:5]),) if dry else ()))
    return table
