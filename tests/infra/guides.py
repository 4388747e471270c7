"""Following a guide: its marked code blocks, in order, in a real folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

MARKED = re.compile(
    r"<!-- (?P<mark>[^>]+) -->\n```(?P<kind>\w+)\n(?P<text>.*?)```"
    r"(?:\n\n```text\n(?P<output>.*?)```)?",
    re.DOTALL,
)


class Folder:
    """A project that somebody makes by hand, in an environment of its own."""

    def __init__(self, path: Path, environment: Path) -> None:
        self.path = path
        # An environment from outside would be found before the one that the guide makes.
        left_out = ("VIRTUAL_ENV", "PYTHONPATH", "DJANGO_SETTINGS_MODULE", "DATABASE_URL")
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        python = Path(getattr(sys, "_base_executable", sys.executable)).parent
        folders = [str(environment / "bin"), str(python), kept["PATH"]]
        self.variables = kept | {"PATH": os.pathsep.join(folders)}

    def run(self, script: str) -> str:
        """Run lines of a shell; their output. Fails when one of them fails."""
        done = self._ended(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, script: str) -> str:
        """Run what the guide says is refused; what is said of it, in a line and no traceback."""
        done = self._ended(script)
        assert done.returncode == 1, f"{script}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stderr

    def _ended(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=self.path,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=200,
        )

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    def append(self, name: str, text: str) -> None:
        with (self.path / name).open("a") as file:
            file.write(f"\n{text}")


def blocks(guide: Path) -> dict[str, str]:
    """Mark -> text of the blocks whose marks differ."""
    return {found["mark"]: found["text"] for found in MARKED.finditer(guide.read_text())}


def follow(guide: Path, folder: Folder, replaced: dict[str, str]) -> list[str]:
    """Do what the guide says; returns the outputs. Where it shows one, that must be in it."""
    outputs = []
    for found in MARKED.finditer(guide.read_text()):
        action, _, name = found["mark"].partition(": ")
        text = found["text"]
        if action in ("write", "append"):
            getattr(folder, action)(name, text)
            continue
        for old, new in replaced.items():
            text = text.replace(old, new)
        outputs.append(folder.refused(text) if action == "refused" else folder.run(text))
        assert (found["output"] or "") in outputs[-1]
    return outputs
