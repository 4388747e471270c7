"""What every command of this package has in common: plain errors, and Django's common options.

A database that is away, an error of its own, Ctrl-C, a reader of the output that has gone: each is
one line and an exit code here, and in no command. `--traceback` shows all of an error.
"""

import copy
import os
import re
import signal
import sys
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from lifecycle.db.connection import (
    DENIED,
    IDLE_TIMEOUT,
    QUERY_CANCELED,
    READ_ONLY,
    TRANSACTION_TIMEOUT,
    is_away,
    sqlstate,
)
from lifecycle.exceptions import LifecycleError
from lifecycle.printable import visible

# PostgreSQL's own words, in English, name a table, a column's table or a function, and no value.
_DENIED = re.compile(r"permission denied for [a-z ]+ \S+")
#: what a site has set, or somebody has done, for which the code alone says little
KNOWN = {
    QUERY_CANCELED: "a statement was stopped, as by a short statement_timeout",
    IDLE_TIMEOUT: "the session was ended by idle_in_transaction_session_timeout",
    TRANSACTION_TIMEOUT: "the transaction was ended by transaction_timeout",
    READ_ONLY: "the transaction may only read, as by default_transaction_read_only",
}
INTERRUPTED = 128 + signal.SIGINT  # as a shell says it


class PlainCommand(BaseCommand):
    """A command that ends in one line, whatever stops it."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As Django's, but without a traceback for what a person can mend."""
        self.no_color = bool(options.get("no_color"))
        try:
            return super().execute(*args, **options)
        except Error as error:
            if options.get("traceback"):
                raise
            raise CommandError(told(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from error
        finally:
            drain(self)


def told(error: Error) -> str:
    """An error of the database in a line; of its message only what holds no value of a row."""
    if is_away(error):
        why = next(iter(str(error).strip().splitlines()), type(error).__name__)
        return f"The database does not answer: {why}"
    code = sqlstate(error)
    said = next(iter(str(error).splitlines()), "")
    if code == DENIED and _DENIED.fullmatch(said):
        return visible(f"The role of this process has no right to do this: {said}.")
    if code in KNOWN:
        return f"The database refused: {KNOWN[code]} (SQLSTATE {code})."
    what = f"{type(error).__name__}, SQLSTATE {code}" if code else type(error).__name__
    return f"The database refused: {what}. --traceback shows more."


def line_of(error: Exception) -> str:
    """What a command says of an error that names what is refused: one line, whatever it names."""
    return visible(str(error)) if isinstance(error, LifecycleError) else str(error)


def drain(command: BaseCommand) -> None:
    """Write what is left. A reader that has gone, as `head` has, is no error."""
    for stream in (command.stdout, command.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            into_nothing(stream)


def into_nothing(stream: Any) -> None:
    """Let the rest of the output go nowhere, also what Python writes when it ends."""
    if stream.fileno() == sys.__stdout__.fileno():  # type: ignore[union-attr]
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def add_common_options(command: ArgumentParser, parser: ArgumentParser) -> None:
    """Django's options after the subcommand too; before it they keep what they were given."""
    known = {text for action in command._actions for text in action.option_strings}
    for action in parser._actions:
        if action.option_strings and not known.intersection(action.option_strings):
            again = copy.copy(action)
            again.default, again.required = SUPPRESS, False
            command._add_action(again)
