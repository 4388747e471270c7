"""What `lifecycle` asks of this package, which it never imports."""

from io import StringIO

from django.core.management import call_command

from lifecycle.db.connection import fetch, statement
from lifecycle.hooks import ActingApp, Runs, Standstills
from lifecycle.printable import visible
from purge.passes.throttle import slowed


def make_pass(using: str) -> None:
    """End what is due in a database, once through; raises `CommandError` as the command does."""
    call_command("purge", database=using, stdout=StringIO())


def last_runs(using: str) -> Runs:
    """By policy: when the last pass began that found something, and the kind of its error."""
    runs = fetch(using, statement(__file__, "last_runs"))
    return {policy: (started, error) for policy, started, error in runs}


def standstills(using: str) -> Standstills:
    """By policy: why the archive cannot be made without which its rows do not go."""
    found = fetch(using, statement(__file__, "unarchived"))
    return {
        policy: [f"its rows cannot be archived, and stay: {visible(error)}"]
        for policy, error in found
    }


PURGE = ActingApp(make_pass, last_runs, standstills, slowed)
