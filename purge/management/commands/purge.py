"""`manage.py purge`: one pass now over what is due."""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from lifecycle.db.connection import scalar
from lifecycle.db.version import mismatch
from lifecycle.exceptions import LifecycleError
from lifecycle.logs import Log
from lifecycle.management.arguments import add_policy
from lifecycle.management.databases import databases_of
from lifecycle.management.output import (
    console_of,
    make_visible,
    print_table,
    progress_bar,
    write_json,
)
from lifecycle.management.plain import PlainCommand, line_of
from lifecycle.policy.databases import served
from lifecycle.policy.purge_hours import OUTSIDE, is_open
from lifecycle.policy.registry import all_policies, get_policy
from lifecycle.telemetry import span
from purge.alerts import watch as alerts
from purge.batch.brakes import why_stopped
from purge.batch.outcome import Outcome
from purge.management import recovery as recovering
from purge.management import replay as replaying
from purge.media.run import run_media
from purge.passes.due import due_policies, due_rows
from purge.passes.options import PassOptions
from purge.plans.carry_out import carry_out_all
from purge.requests.ask import retry
from purge.rewriting.work import erase_in_archives
from purge.runner import turns
from purge.unlisted import list_unlisted
from purge.worker import deliver, notices
from purge.worker.backfill import read_now

FILES = "(media)"  # in place of a policy's name; counts are of names

log = Log("purge")


class Command(PlainCommand):
    help = "Tombstone and purge what is due now; any scheduler may run it instead of the worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_policy(parser, "only this policy")
        parser.add_argument(
            "--limit", type=int, help="look at no more than this many rows a policy"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show, then take everything back"
        )
        replaying.add_options(parser)
        parser.add_argument("--database", metavar="ALIAS", help="default: each that has a ledger")

    def handle(self, *args: Any, **options: Any) -> None:
        make_visible(self)
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be 1 or more.")
        try:
            replaying.refuse_strays(options)
            if options["policy"]:
                get_policy(options["policy"])
            databases = databases_of(options["database"], options["policy"])
            self.passes: list[dict[str, Any]] = []
            self.passed: list[str] = []
            reasons = [self.run_in(using, options) for using in databases]
            for using in self.passed:  # last of all: nothing waits for a subscriber
                deliver.step(using)
                notices.step(using)
        except LifecycleError as error:
            raise CommandError(line_of(error)) from error
        if options["json"] and not options["replay"]:
            write_json(self, self.passes)
        if any(reasons):
            raise CommandError("\n".join(filter(None, reasons)))

    def run_in(self, using: str, options: dict[str, Any]) -> str:
        """A replay if it was asked for, and a pass; why they did not do everything, in words."""
        if why := mismatch(using):
            return why
        run = recovering.run if options["from_proof"] else replaying.run
        left = run(self, options, using) if options["replay"] else ""
        return "\n".join(filter(None, (left, self.run_due(using, options))))

    def run_due(self, using: str, options: dict[str, Any]) -> str:
        """A pass over one database; why it did not do everything, in words."""
        dry, limit = options["dry_run"], options["limit"]
        pass_options = PassOptions("purge", limit=limit, dry=dry, using=using)
        if not dry:
            list_unlisted(using)
            for name, progress in read_now(using, options["policy"]).items():
                self.stderr.write(f"{name}: backfill, {progress}")
            if not options["policy"]:
                carry_out_all(using)
                retry(using)
        names = [options["policy"]] if options["policy"] else due_policies(using)
        console = console_of(self)
        console.quiet = options["json"]
        done = self.run_each(names, pass_options, console) | self.run_media(pass_options)
        if not dry:
            self.erase_in_archives(using, options["policy"])
            self.passed.append(using)
            alerts.watch(using)
        place = f" in {using}" if len(served()) > 1 else ""
        shown = {name: each for name, each in done.items() if name != FILES or each.looked}
        if shown:
            print_table(console, summary(shown, dry, place))
        else:
            console.print(f"Nothing is due{place}.")
        left = stopped(done, using)
        self.passes.append(as_data(shown, left, using, dry))
        for name, why in left.items():
            self.stderr.write(f"{name}: {why}")
        return failure([*names, FILES], done)

    def erase_in_archives(self, using: str, policy: str | None) -> None:
        """Rows of those who were erased leave archives; requests that waited for that are done."""
        if not policy:
            erase_in_archives(using)
            retry(using)

    def run_each(
        self, names: list[str], pass_options: PassOptions, console: Console
    ) -> dict[str, Outcome]:
        """What became of each policy; one that an error stopped is logged, and left out."""
        done = {}
        for name in names:
            try:
                done[name] = self.run_one(name, pass_options, console)
            except Exception:
                log("run_failed", f"{name}: run failed", policy=name, database=pass_options.using)
        return done

    def run_media(self, pass_options: PassOptions) -> dict[str, Outcome]:
        """What became of the media that are due, also those of rows that have just gone."""
        try:
            return {FILES: run_media(pass_options.using, replace(pass_options))}
        except Exception:
            log("run_failed", "media: run failed", database=pass_options.using)
            return {}

    def run_one(self, name: str, pass_options: PassOptions, console: Console) -> Outcome:
        """One policy, with a bar as long as what its agenda lists."""
        total, using = Outcome(), pass_options.using
        bar = progress_bar(console, name, due_rows(name, using))
        with span("pass", policy=name, database=using), bar as update:
            for total in turns(get_policy(name), replace(pass_options)):
                update(completed=total.looked)
        return total


def failure(names: list[str], done: dict[str, Outcome]) -> str:
    """Why a pass did not do everything, in words; '' where it did."""
    if any(outcome.halted for outcome in done.values()):
        return "A brake stopped a policy."
    failed = [name for name in names if name not in done]
    lines = [f"An error stopped {', '.join(failed)}; the others were run."] if failed else []
    if FILES in done and (waiting := done[FILES].locked):
        lines.append(f"{waiting} files wait: their store does not answer.")
    return "\n".join(lines)


def stopped(done: dict[str, Outcome], using: str) -> dict[str, str]:
    """Why policies that have something due end nothing, or nothing more."""
    waiting = [policy for policy in all_policies() if due_rows(policy.name, using)]
    now = scalar(using, "SELECT lifecycle.now_v1()")
    reasons = {p.name: OUTSIDE for p in waiting if not is_open(p, now)}
    reasons |= {p.name: why_stopped(p, using) or reasons.get(p.name, "") for p in waiting}
    reasons |= {name: outcome.stopped for name, outcome in done.items() if outcome.stopped}
    return {name: why for name, why in sorted(reasons.items()) if why}


def as_data(
    done: dict[str, Outcome], left: dict[str, str], using: str, dry: bool
) -> dict[str, Any]:  # fmt: skip
    """What was done, for programs: rows by policy, and why a policy ends nothing, or no more."""
    policies = [{"policy": name} | outcome.counts() for name, outcome in done.items()]
    return {"database": using, "dry_run": dry, "policies": policies, "stopped": left}


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
