"""`manage.py` that has read the site once and is a new process for each command.

Given commands as lines of JSON it prints the process of each, then its exit code. A process is made
before anything is connected, so that it has its own session, its own signals and its own end.
"""

import json
import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from tests.infra.servers import ROOT


class Forking:
    """The process that forks; `begin` a command, end it by a signal, `ended` says how."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.parent: Any = Popen(
            [sys.executable, "-m", "tests.commands.forking"],
            cwd=ROOT, env=os.environ | environment, stdin=PIPE, stdout=PIPE, text=True,
        )  # fmt: skip

    def begin(self, command: str) -> int:
        """The process of a command."""
        self.said = self.folder / "said"
        print(json.dumps([command.split(), str(self.said)]), file=self.parent.stdin, flush=True)
        return int(self.parent.stdout.readline())

    def ended(self) -> tuple[int, str]:
        """Exit code of the command under way, when it has ended, and all that it printed."""
        return int(self.parent.stdout.readline()), self.said.read_text()

    def close(self) -> None:
        """End, once no command is under way."""
        self.parent.stdin.close()
        self.parent.wait(30)
        self.parent.stdout.close()


def main() -> None:
    """Fork for each line."""
    import django
    from django.core.management import get_commands, load_command_class

    django.setup()
    for name in ("purge", "lifecycle", "archive"):  # or each child would read their modules
        load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    for line in sys.stdin:
        words, said = json.loads(line)
        if (child := os.fork()) == 0:
            run(words, said)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def run(words: list[str], said: str) -> None:
    """What `manage.py` does, in a process that ends with it."""
    from django.core.management import execute_from_command_line

    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(written, stream)
    sys.argv = ["manage.py", *words]
    execute_from_command_line(sys.argv)
    sys.exit(0)


if __name__ == "__main__":
    main()
