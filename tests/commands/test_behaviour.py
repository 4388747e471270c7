"""The table of every command in every circumstance is true, and no cell is a traceback."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.commands.behaviour import HEAD, PAGE, line, outcomes
from tests.commands.terminal import COMMANDS


@pytest.mark.slow
@pytest.mark.django_db
def test_every_command_in_every_circumstance(settings: Any, tmp_path: Path) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    lines = []
    for name in COMMANDS:
        found = outcomes(name)
        lines.append(line(name, found))
        for circumstance, each in found.items():
            assert "Traceback" not in each.out + each.error, (name, circumstance)
            assert each.code in (0, 1, 2), (name, circumstance)
        assert found["bad input"].code == 2
        asks_none = name in ("lifecycle scaffold", "archive ls")
        assert found["no database"].code == int(not asks_none), name
        codes = {found[each].code for each in ("one row", "80 columns", "left")}
        assert len(codes) == 1, (name, found)
    text = HEAD + "".join(lines)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text("utf-8") == text
