"""What is in the wheel: two top-level names, the migrations inside them, SQL and all."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from .servers import ROOT

SOURCES = ["pyproject.toml", "setup.py", "README.md", "LICENSE", "lifecycle", "purge", "migrations"]


def python(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is packaged: a build writes into its source tree."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), cwd=source)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_top_level_names(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"lifecycle", "purge"}


def test_every_source_file_is_in_it(names: set[str]) -> None:
    expected = set()
    for top in ("lifecycle", "purge"):
        for pattern in ("*.py", "*.sql"):
            found = (path.relative_to(ROOT) for path in (ROOT / top).rglob(pattern))
            expected |= {path.as_posix() for path in found}
            inside = (ROOT / "migrations" / top).rglob(pattern)
            base = ROOT / "migrations" / top
            expected |= {f"{top}/migrations/{path.relative_to(base).as_posix()}" for path in inside}
    assert names == expected


def test_an_editable_install_finds_the_migrations(source: Path, tmp_path: Path) -> None:
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    python(*install, "--prefix", str(tmp_path), "--editable", str(source), cwd=tmp_path)
    site = sysconfig.get_path("purelib", vars={"base": str(tmp_path)})
    script = f"import site; site.addsitedir({site!r})\n"
    script += "import purge.migrations as found; print(found.__file__)"
    expected = source / "migrations" / "purge" / "__init__.py"
    assert python("-c", script, cwd=tmp_path).strip() == str(expected)
