"""`manage.py run_maintenance`: every clean-up, each on its own, and a table of how it went.

The worker does all of this by itself; this is for a look, or for a site without a worker.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from demo.cleanups.command import add_cleanup_arguments
from demo.cleanups.maintenance import COMMANDS, Result, run_one, table
from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import agreed
from lifecycle.management.output import console_of, write_json

QUESTION = "Purge now, without their grace, all that the clean-ups find?"


class Command(BaseCommand):
    help = (
        "Run every clean-up; one that fails does not stop the others. Drafts with media or"
        " sessions are kept, as by their policy."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option, about in (("--only", "these commands"), ("--skip", "all but these")):
            parser.add_argument(option, nargs="+", default=[], choices=COMMANDS, help=about)
        add_cleanup_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = [name for name in COMMANDS if name in (options["only"] or COMMANDS)]
        wanted = [name for name in wanted if name not in options["skip"]]
        if not wanted:
            raise CommandError("Nothing is left to run: see --only and --skip.")
        if not self.confirmed(options):
            self.stdout.write("Nothing was changed.")
            return
        results = [run_one(name, options) for name in wanted]
        self.print_results(results, options)
        if failed := [each.command for each in results if each.failed]:
            raise CommandError(f"Failed: {', '.join(failed)}. The others were run.")

    def confirmed(self, options: dict[str, Any]) -> bool:
        """Ask once for all of them."""
        if options["dry_run"] or not options["purge_now"]:
            return True
        try:
            return agreed(self, QUESTION, options)
        except LifecycleError as error:
            raise CommandError(str(error)) from error

    def print_results(self, results: list[Result], options: dict[str, Any]) -> None:
        """The table, or the same as JSON."""
        if not options["json"]:
            console_of(self).print(table(results, options["dry_run"]))
            return
        commands = [vars(result) for result in results]
        write_json(self, {"dry_run": options["dry_run"], "commands": commands})
