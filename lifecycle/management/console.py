"""The terminal of a management command."""

from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console


def console_of(command: BaseCommand) -> Console:
    """A rich console on the command's output, which tests may have redirected.

    Keys of rows are shown as they are, not read as markup. What is no terminal gets long lines.
    """
    # Not the OutputWrapper itself: it ends every write with a new line.
    stream: Any = command.stdout
    tty = stream.isatty()
    return Console(
        file=stream._out, markup=False, emoji=False, highlight=False, width=None if tty else 200
    )
