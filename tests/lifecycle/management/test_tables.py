"""Tables of commands: never cut; on a terminal that is too narrow a record for each row."""

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Column, Table

from lifecycle.management.output import VisibleConsole, print_table
from tests.infra.servers import ROOT

CELLS = st.text("ab-:[]1äж漢", max_size=70)
#: what an operator's terminal has, and what a small one has
WIDTHS = (80, 40)


def printed(table: Table, width: int, *others: Table) -> list[str]:
    out = StringIO()
    console = VisibleConsole(file=out, width=width, markup=False, emoji=False, highlight=False)
    print_table(console, table, *others)
    return out.getvalue().splitlines()


def table_of(*rows: tuple[str, ...], columns: tuple[str, ...] = ("name", "why")) -> Table:
    table = Table(title="Rows")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    return table


def test_a_table_that_fits_is_one() -> None:
    lines = printed(table_of(("a", "b")), 80)
    assert lines[0].strip() == "Rows"
    assert re.search(r"name.*why", lines[2])
    assert max(map(len, lines)) <= 80


def test_a_row_that_is_too_wide_is_a_record() -> None:
    long = "x" * 90
    assert printed(table_of(("a", long), ("b", "")), 80) == [
        "Rows", "", "name: a", f"why: {long}", "", "name: b",
    ]  # fmt: skip


def test_the_first_form_that_fits_is_shown() -> None:
    wide, narrow = table_of(("a", "x" * 90)), table_of(("a",), columns=("name",))
    assert "why" not in "\n".join(printed(wide, 80, narrow))
    assert "why" in "\n".join(printed(wide, 200, narrow))


def test_a_record_shows_what_cannot_be_seen() -> None:
    assert "why: " + "y" * 90 + "\\u001b[2J" in printed(table_of(("a", "y" * 90 + "\x1b[2J")), 80)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=3), st.sampled_from(WIDTHS))
def test_no_cell_is_ever_cut(rows: list[tuple[str, str]], width: int) -> None:
    text = "\n".join(printed(table_of(*rows), width))
    for row in rows:
        assert all(cell in text for cell in row)


def on_a_terminal(*command: str, columns: int) -> str:
    """What a person sees who types it on a terminal of so many columns."""
    parent, child = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-c", *command], cwd=ROOT, env=environment, stdin=child, stdout=child,
        stderr=child,
    ) as process:  # fmt: skip
        os.close(child)
        text = b""
        while chunk := _read(parent):
            text += chunk
        assert process.wait() == 0, text
    os.close(parent)
    return text.decode().replace("\r\n", "\n")


def _read(parent: int) -> bytes:
    try:
        return os.read(parent, 65536)
    except OSError:  # the other side has closed it
        return b""


@pytest.mark.parametrize("columns", [80, 200])
def test_the_terminal_says_how_wide_it_is(columns: int) -> None:
    script = (
        "from django.core.management.base import BaseCommand\n"
        "from rich.table import Table\n"
        "from lifecycle.management.output import console_of, print_table\n"
        "t = Table(); t.add_column('name'); t.add_row('n' * 90)\n"
        "print_table(console_of(BaseCommand()), t)\n"
    )
    text = on_a_terminal(script, columns=columns)
    assert ("name: " + "n" * 90 in text) is (columns == 80)


def test_a_long_table_as_records_reads_its_cells_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    cells: Any = Column.cells
    monkeypatch.setattr(Column, "cells", property(lambda own: read.append(1) or cells.fget(own)))
    lines = printed(table_of(*((str(row), "wide " * 20) for row in range(50))), 40)
    assert [line for line in lines if line.startswith("name: ")][-1] == "name: 49"
    assert len(read) <= 4 * 2
