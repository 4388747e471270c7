"""Building the package from a copy of its sources."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.infra.servers import ROOT

SOURCES = [
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "lifecycle",
    "purge",
    "migrations",
    "docs",
]


def python(*arguments: str, cwd: Path) -> str:
    """Run this Python; its output."""
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_sources(folder: Path) -> Path:
    """A copy of what is packaged: a build writes into its source tree."""
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of a copy."""
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), cwd=source)
    return next(folder.glob("*.whl"))
