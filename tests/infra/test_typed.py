"""The wheel is typed: a site that uses it passes `mypy --strict`."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

from tests.infra.servers import ROOT

CONFIG = """
[mypy]
strict = True
plugins = mypy_django_plugin.main
[mypy.plugins.django-stubs]
django_settings_module = shop.settings
"""


def environment_with(wheel: Path, folder: Path) -> Path:
    """An environment that has the wheel and what is installed here; its Python."""
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


def test_a_site_passes_strict_checks_with_the_wheel(wheel: Path, tmp_path: Path) -> None:
    python = environment_with(wheel, tmp_path / "environment")
    shutil.copytree(ROOT / "tests/infra/typed/shop", tmp_path / "site/shop")
    (tmp_path / "mypy.ini").write_text(CONFIG)
    done = subprocess.run(
        [python, "-m", "mypy", "--config-file", "../mypy.ini", "shop"],
        cwd=tmp_path / "site", env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues found in 4 source files" in done.stdout


def test_the_stubs_name_what_is_loaded() -> None:
    for package in ("lifecycle", "purge"):
        names = re.findall(r" as (\w+)$", (ROOT / package / "__init__.pyi").read_text(), re.M)
        assert sorted(names) == sorted(sys.modules[package].__all__)
