"""What management commands write: to a terminal, to a pipe, as JSON."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, OutputWrapper
from django.utils.timezone import localtime
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from lifecycle.printable import visible, visible_lines

WIDEST = 10_000  # columns: what a table would take that nothing holds back


class VisibleOutput(OutputWrapper):
    """Output on which nothing acts that comes from rows; styles are put on after that."""

    def write(self, msg: str = "", *style: Any, **how: Any) -> None:  # type: ignore[override]
        # The command goes on without a reader: its exit code is about something else.
        with suppress(BrokenPipeError):
            super().write(visible_lines(msg), *style, **how)


class VisibleConsole(Console):
    """Shows each text and each cell of a table as one line of what can be read."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(visible(text), **how)

    def on_broken_pipe(self) -> None:
        """Write nothing more, and let the command come to its own exit code."""
        self.quiet = True


def make_visible(command: BaseCommand) -> None:
    """Let a command write through `VisibleOutput` from now on, errors too."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(command, name)
        shown = VisibleOutput(stream._out, stream.ending)
        shown.style_func = stream.style_func
        setattr(command, name, shown)


def console_of(command: BaseCommand) -> Console:
    """A rich console on the command's output, which tests may have redirected.

    Keys of rows are shown as they are, not read as markup. What is no terminal gets long lines.
    """
    # Not the OutputWrapper itself: it ends every write with a new line.
    stream: Any = command.stdout
    tty, plain = stream.isatty(), getattr(command, "no_color", False)
    return VisibleConsole(
        file=stream._out, markup=False, emoji=False, highlight=False, width=None if tty else 200,
        no_color=plain or None,
    )  # fmt: skip


def print_table(console: Console, *forms: Table) -> None:
    """The first of these forms of a table that is no wider than the console.

    Where none is, the rows of the first as records: a line for each cell that has something in it.
    """
    shown = next((form for form in forms if fits(console, form)), None)
    if shown is not None:
        console.print(shown)
        return
    if forms[0].title:
        console.print(forms[0].title)
    names = [column.header for column in forms[0].columns]
    for cells in zip(*(column.cells for column in forms[0].columns), strict=True):
        console.print()
        for name, cell in zip(names, map(str, cells), strict=True):
            if cell:
                console.print(f"{name}: {cell}", soft_wrap=True)


def fits(console: Console, table: Table) -> bool:
    """Whether no cell has to be cut or folded."""
    unbounded = console.options.update(max_width=WIDEST)
    return console.measure(table, options=unbounded).maximum <= console.width


@contextmanager
def progress_bar(
    console: Console, name: str, total: int | None = None, quiet: bool = False
) -> Iterator[Callable[..., None]]:
    """A bar that goes when the block ends; yields what updates it, by rich's `Progress.update`.

    Nothing is shown where the console is no terminal, or with `quiet`.
    """
    hidden = quiet or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as progress:
        # Of nothing, and of an unknown number, rich shows a bar without an end.
        task = progress.add_task(name, total=total or None)
        yield lambda **update: progress.update(task, **update)


def write_json(command: BaseCommand, data: Any) -> None:
    """One JSON value on the command's output."""
    command.stdout.write(as_json(data))


def as_json(data: Any) -> str:
    """The one form of JSON: times as `2030-01-31T12:00:00+00:00`, what has no form as its text."""
    return json.dumps(data, default=_plain, indent=2, ensure_ascii=False)


def utc(moment: datetime) -> str:
    """ISO 8601 with a T, in UTC, with the offset: what every language can read."""
    return moment.astimezone(UTC).isoformat()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return utc(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def local_time(time: datetime | None) -> str:
    """A time in the site's zone, to the second; '' for none."""
    return f"{localtime(time):%Y-%m-%d %H:%M:%S}" if time else ""
