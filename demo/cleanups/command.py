"""The frame of every clean-up command: options, listing, question, engine, report."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import named
from lifecycle.management.arguments import add_actor, add_yes, agreed

from .ending import Ended, How, end
from .part import Part


class Cleanup(BaseCommand):
    """A command that ends what is due by some policies, in the order of its parts.

    Without `--purge-now` rows are tombstoned and have their grace; with it they go at once, after
    a question. `--dry-run` does the same and takes it back. `--json` prints the report alone.
    """

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_cleanup_arguments(parser)

    def parts(self, options: dict[str, Any]) -> list[Part]:
        """What the command does, by these options."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        self.quiet = options["json"]
        how = How(options["actor"], options["dry_run"], options["purge_now"])
        try:
            done = [(part, self.run_part(part, how, options)) for part in self.parts(options)]
        except LifecycleError as error:
            raise CommandError(str(error)) from error
        if how.dry_run:
            self.say(["Dry run: nothing was changed."])
        if self.quiet:
            told = {"dry_run": how.dry_run, "purge_now": how.purge_now}
            parts = [report(part, ended) for part, ended in done if ended]
            self.stdout.write(json.dumps(told | {"parts": parts}, cls=DjangoJSONEncoder, indent=2))

    def run_part(self, part: Part, how: How, options: dict[str, Any]) -> Ended | None:
        """List, ask, end, tell. None where the person said no."""
        rows = part.found()
        found = list(rows) if part.lists else []
        count = len(found) or rows.count()
        self.say(part.before(count, found))
        question = f"Purge now, without their grace, what may go of these {count} {part.noun}?"
        if count and how.purge_now and not how.dry_run and not agreed(self, question, options):
            self.say(["Nothing was changed."])
            return None
        ended = end(part.policy, how, part.override, count, found)
        self.say(part.after(ended))
        return ended

    def say(self, lines: Iterable[str]) -> None:
        """Write lines, but not between the JSON."""
        for line in lines if not self.quiet else ():
            self.stdout.write(line)


def add_cleanup_arguments(parser: ArgumentParser) -> None:
    """Options of every clean-up command."""
    parser.add_argument("--dry-run", action="store_true", help="show, then take everything back")
    parser.add_argument(
        "--purge-now", action="store_true", help="without the grace; asks before it does"
    )
    parser.add_argument("--json", action="store_true", help="the report alone, for programs")
    add_yes(parser)
    add_actor(parser)


def report(part: Part, ended: Ended) -> dict[str, Any]:
    """What a part did, as plain data."""
    told: dict[str, Any] = {"policy": part.policy, "found": ended.count}
    told |= ended.outcome.counts() | {"tombstones": len(ended.tombstones), "purge_due": ended.due}
    if part.lists:
        states = dict.fromkeys(ended.gone, "gone") | dict.fromkeys(ended.tombstones, "tombstoned")
        told["rows"] = [
            {"row": named(row), "state": states.get(row, "stays"), "why": reason(part, ended, row)}
            for row in ended.found
        ]
    return told


def reason(part: Part, ended: Ended, row: Any) -> str:
    """Why a row stays; '' of others."""
    return ended.stays[row] or part.why(row) if row in ended.stays else ""
