"""`.ci/venv.py`: made whole or made again, never half used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .servers import ROOT

# A lock without packages keeps these tests off the network.
EMPTY_LOCK = "# nothing\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder as a clone has it, with a space in its name and for its owner alone."""
    folder = tmp_path / "a clone"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "venv.py", folder / ".ci")
    (folder / "requirements.lock").write_text(EMPTY_LOCK)
    folder.chmod(0o700)
    return folder


def start(checkout: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, ".ci/venv.py"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def make(checkout: Path) -> str:
    process = start(checkout)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def works(checkout: Path) -> bool:
    pip = [".venv/bin/python", "-m", "pip", "--version"]
    return subprocess.call(pip, cwd=checkout, stdout=subprocess.DEVNULL) == 0


def test_made_once_and_again_when_the_lock_or_the_interpreter_is_another(checkout: Path) -> None:
    assert "Making .venv" in make(checkout)
    assert make(checkout) == ""
    (checkout / "requirements.lock").write_text(EMPTY_LOCK * 2)
    (checkout / ".venv" / "of the old lock").touch()
    assert "Making .venv" in make(checkout)
    assert not (checkout / ".venv" / "of the old lock").exists()
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert "Making .venv" in make(checkout)
    assert works(checkout)


def test_two_at_once_after_a_kill_make_one_whole(checkout: Path) -> None:
    killed = start(checkout)
    while not (checkout / ".venv" / "bin").exists():
        assert killed.poll() is None
    killed.kill()
    killed.communicate()
    assert not (checkout / ".venv" / "requirements.lock").exists()
    both = [start(checkout), start(checkout)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sorted(bool(output) for output in outputs) == [False, True]
    assert works(checkout)


def test_an_old_python_is_told_what_is_needed(checkout: Path) -> None:
    script = "import sys, runpy; sys.version_info = (3, 9, 2, 'final', 0)\n"
    script += "runpy.run_path('.ci/venv.py', run_name='__main__')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, this is 3.9" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_venv_module_names_the_package(checkout: Path) -> None:
    script = "import sys, runpy; sys.modules['ensurepip'] = None\n"
    script += "runpy.run_path('.ci/venv.py', run_name='__main__')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_without_python_says_what_to_install(checkout: Path) -> None:
    shutil.copy(ROOT / "Makefile", checkout)
    done = subprocess.run(
        ["make", "test", "PYTHON=no-such-python"],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "no-such-python not found: install Python 3.11 or newer" in done.stderr
