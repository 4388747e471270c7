"""Each command in each circumstance, as docs/reference/command-behaviour.md shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

from django.db import OperationalError, connections, transaction
from django.utils import timezone

from tests.commands.terminal import COMMANDS, Typed, typed
from tests.infra.servers import ROOT
from tests.zoo.models import Client, Draft

PAGE = ROOT / "docs/reference/command-behaviour.md"
HEAD = """# How commands behave

Every command in every circumstance: its exit code, and the first line that it prints; of an exit
code that is not 0, the line that says why. No command ends in a traceback without `--traceback`.
This page is made by the tests, which compare it, with the policies of the tests
(`UPDATE_GOLDEN=1` writes it).

- **bad input**: an option that does not exist.
- **no database**: nobody listens where `DATABASES` says.
- **no rows**: policies, and no row in any table.
- **one row**: one that is due (`zoo.Draft:1`), or that can be erased (`zoo.Client:1`).
- A terminal of 80 columns, a pipe, a reader that leaves (`| head -1`): the exit code is that of
  *one row*.
- A million rows: the exit codes are those of *one row* too; `make soak` tries each command.
- **Ctrl-C** in the middle: exit code 130 and `Interrupted.`, or how far it came. The transaction
  under way is taken back, what was committed before stays, and the same command goes on from
  there; tests stop each command while it waits for a lock.

| command | bad input | no database | no rows | one row |
|---|---|---|---|---|
"""


@contextmanager
def no_database() -> Iterator[None]:
    away = OperationalError("connection failed: Connection refused\n\tIs the server running?")
    with (
        patch.object(connections["default"], "cursor", side_effect=away),
        patch.object(connections, "create_connection", side_effect=away),
    ):
        yield


@contextmanager
def taken_back() -> Iterator[None]:
    """As in a `TestCase`: a command may begin transactions of its own in it."""
    outer: Any = transaction.atomic()
    outer._from_testcase = True
    with outer:
        yield
        transaction.set_rollback(True)


def one_row() -> None:
    """One that is due, and one to be erased."""
    Draft.objects.create(pk=1, created_at=timezone.now() - timedelta(days=2))
    Client.objects.create(pk=1, email="jo@example.com")


class Left(StringIO):
    """Where nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def outcomes(name: str) -> dict[str, Typed]:
    """What becomes of a command in each circumstance; the database is left as it was."""
    command, found = COMMANDS[name], {}
    found["bad input"] = typed(f"{command} --frob")
    with no_database():
        found["no database"] = typed(command)
    with taken_back():
        found["no rows"] = typed(command)
    for circumstance in ("one row", "80 columns", "left"):
        with taken_back(), patch.dict("os.environ", COLUMNS="80"):
            one_row()
            found[circumstance] = typed(command, Left() if circumstance == "left" else None)
    return found


def line(name: str, found: dict[str, Typed]) -> str:
    """Its line of the page."""
    shown = ("bad input", "no database", "no rows", "one row")
    cells = [found[each].shown().replace("|", "\\|") for each in shown]
    return f"| `{COMMANDS[name]}` | {' | '.join(cells)} |\n"
