"""Every command over a million rows: exit codes as with one row, no traceback, one screen."""

import time
from typing import Any

import pytest
from django.db import connection

from tests.commands.behaviour import Left, one_row, taken_back
from tests.commands.terminal import COMMANDS, typed

ROWS = 1_000_000
MANY = f"""INSERT INTO zoo_draft (id, title, status, created_at)
SELECT i, '', 'draft', now() - interval '20 hours'
FROM generate_series(1000, {ROWS + 1000}) AS i"""
#: they read all of it, or write about all of it
LONGEST = 300.0


@pytest.mark.django_db
def test_every_command_over_a_million_rows(settings: Any, tmp_path: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    codes = {}
    for name, command in COMMANDS.items():
        with taken_back():
            one_row()
            codes[name] = typed(command).code
    with connection.cursor() as cursor:
        cursor.execute(MANY)
    one_row()
    for name, command in COMMANDS.items():
        for out in (None, Left()):
            began = time.monotonic()
            with taken_back():
                done = typed(command, out)
            took = time.monotonic() - began
            print(f"{command}: {took:.1f} s, {done.shown()}")
            assert done.code == codes[name], (command, done)
            assert "Traceback" not in done.error
            assert took < LONGEST, (command, took)
            assert done.out.count("\n") < 200, command
