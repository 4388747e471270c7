"""`.ci/venv.py`: made whole or made again, never half used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.servers import ROOT

# A lock without packages needs no index: without one uv is not had, and pip has nothing to do.
EMPTY_LOCK = "# nothing\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder as a clone has it, with a space in its name and for its owner alone."""
    folder = tmp_path / "a clone"
    (folder / ".ci").mkdir(parents=True)
    for name in ["venv.py", "pinned_uv.py", "uv-requirements.txt"]:
        shutil.copy(ROOT / ".ci" / name, folder / ".ci")
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
    return subprocess.call([".venv/bin/python", "-c", "import ssl"], cwd=checkout) == 0


@pytest.mark.slow
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


def run_with(before: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    """The script, after some lines of Python."""
    script = f"import sys, runpy; sys.path.insert(0, '.ci'); {before}\n"
    script += "runpy.run_path('.ci/venv.py', run_name='__main__')"
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True)


@pytest.mark.slow
def test_the_mark_goes_before_anything_is_cleared(checkout: Path) -> None:
    make(checkout)
    (checkout / "requirements.lock").write_text(EMPTY_LOCK * 2)
    died = run_with(
        "import subprocess; subprocess.check_call = lambda *a, **k: sys.exit(9)", checkout
    )
    assert died.returncode == 9
    (checkout / "requirements.lock").write_text(EMPTY_LOCK)
    assert "Making .venv" in make(checkout)
    assert works(checkout)


def test_an_old_python_is_told_what_is_needed(checkout: Path) -> None:
    done = run_with("sys.version_info = (3, 9, 2, 'final', 0)", checkout)
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, this is 3.9" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_venv_module_names_the_package(checkout: Path) -> None:
    done = run_with("sys.modules['ensurepip'] = None", checkout)
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
