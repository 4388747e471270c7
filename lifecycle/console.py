"""The terminal of a management command."""

from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console


def console_of(command: BaseCommand) -> Console:
    """A rich console on the command's output, which tests may have redirected."""
    # Not the OutputWrapper itself: it ends every write with a new line.
    stream: Any = command.stdout
    return Console(file=stream._out)
