"""A command as somebody types it: what it prints, and its exit code."""

import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest.mock import patch

from django.core.management import get_commands, load_command_class
from django.db import connections

from lifecycle.management.extensions import subcommands
from purge.management.archive import SUBCOMMANDS as ARCHIVE

#: of a subcommand that needs them: its arguments, about one policy or row
ARGUMENTS = {
    "lifecycle enable": "drafts --dry-run", "lifecycle disable": "drafts",
    "lifecycle pause": "drafts", "lifecycle resume": "drafts",
    "lifecycle restore": "zoo.Draft:1", "lifecycle hold": "zoo.Draft:1 --reference R",
    "lifecycle release": "zoo.Draft:1", "lifecycle why": "zoo.Draft:1",
    "lifecycle grants": "--site no_such_role --worker no_such_role_either",
    "lifecycle certificate": "zoo.Draft:1", "lifecycle drill": "no_such_dump",
    "lifecycle erase": "zoo.Client:1 --reference R --yes", "lifecycle backfill": "--policy drafts",
    "lifecycle plan": "hold zoo.Draft --all --reason R", "lifecycle apply": "1 --confirm 1",
    "lifecycle export": "zoo.Draft:1 --to /nowhere/out.zip",
    "lifecycle uninstall": "", "archive load": "no_such_archive", "archive verify": "--all",
    "archive erase": "drafts --where id=1 --reference R --yes",
    "archive lost": "no_such_archive --reason R --yes",
}  # fmt: skip
NAMES = [
    "purge", "purge --dry-run", "purge --replay --yes",
    *(f"lifecycle {name}" for name in subcommands()), *(f"archive {name}" for name in ARCHIVE),
]  # fmt: skip
COMMANDS = {name: f"{name} {ARGUMENTS.get(name, '')}".strip() for name in NAMES}
VOLATILE = [
    (r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?)?( UTC)?", "TIME"),
    (r"\b(event|[Hh]old|from|Plan) \d+", r"\1 N"), (r"(?<= )/[\w./-]+(?=[ .]|$)", "FOLDER"),
    (r"^manage.py [a-z -]+: error: ", ""),
]  # fmt: skip
LONGEST = 90  # characters of a cell


class Typed(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    error: str

    def shown(self) -> str:
        """Code and the line that matters: the first of the output, or of the error."""
        lines = (self.error if self.code else self.out or self.error).strip().splitlines()
        lines = [line for line in lines if not line.startswith("usage:")] or [""]
        line = " ".join((lines[-1] if self.code == 2 else lines[0]).split())
        for pattern, word in VOLATILE:
            line = re.sub(pattern, word, line)
        return f"{self.code}: {line if len(line) <= LONGEST else line[: LONGEST - 3] + '...'}"


def typed(command: str, out: StringIO | None = None) -> Typed:
    """Run it as `manage.py` does, from its words to its exit code, in this process."""
    words = [*command.split(), "--skip-checks"]
    code, out, error = 0, out or StringIO(), StringIO()
    with (
        redirect_stdout(out), redirect_stderr(error), patch.object(connections, "close_all"),
        patch.object(sys, "argv", ["manage.py", *words]),
    ):  # fmt: skip
        try:
            loaded = load_command_class(get_commands()[words[0]], words[0])
            loaded.run_from_argv(["manage.py", *words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
    return Typed(code, out.getvalue(), error.getvalue())
