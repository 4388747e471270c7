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

from .ending import Ended, Mode, end
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
        mode = Mode(options["actor"], options["dry_run"], options["purge_now"])
        try:
            done = [(part, self.run_part(part, mode, options)) for part in self.parts(options)]
        except LifecycleError as error:
            raise CommandError(str(error)) from error
        if mode.dry_run:
            self.say(["Dry run: nothing was changed."])
        if self.quiet:
            data = {"dry_run": mode.dry_run, "purge_now": mode.purge_now}
            parts = [report(part, ended) for part, ended in done if ended]
            self.stdout.write(json.dumps(data | {"parts": parts}, cls=DjangoJSONEncoder, indent=2))

    def run_part(self, part: Part, mode: Mode, options: dict[str, Any]) -> Ended | None:
        """List, ask, end, report. None where the answer was no."""
        due = part.due_rows()
        rows = list(due) if part.lists else []
        count = len(rows) or due.count()
        self.say(part.before(count, rows))
        question = f"Purge now, without their grace, what may go of these {count} {part.noun}?"
        if count and mode.purge_now and not mode.dry_run and not agreed(self, question, options):
            self.say(["Nothing was changed."])
            return None
        ended = end(part.policy, mode, part.override, count, rows)
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
    data: dict[str, Any] = {"policy": part.policy, "found": ended.count}
    data |= ended.outcome.counts() | {"tombstones": len(ended.tombstones), "purge_due": ended.due}
    if part.lists:
        states = dict.fromkeys(ended.gone, "gone") | dict.fromkeys(ended.tombstones, "tombstoned")
        data["rows"] = [
            {"row": named(row), "state": states.get(row, "stays"), "why": reason(part, ended, row)}
            for row in ended.rows
        ]
    return data


def reason(part: Part, ended: Ended, row: Any) -> str:
    """Why a row stays; '' of others."""
    return ended.stays[row] or part.why(row) if row in ended.stays else ""
