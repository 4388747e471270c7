"""The wheel is typed: a site that uses it passes `mypy --strict`, and pyright's strict mode."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.infra.servers import ROOT

CONFIG = """
[mypy]
strict = True
plugins = mypy_django_plugin.main
[mypy.plugins.django-stubs]
django_settings_module = shop.settings
"""
WRONG = """
from lifecycle import restore

restore("shop.Cart:1")
"""


def environment_with(wheel: Path, folder: Path) -> Path:
    """An environment that has the wheel and what is installed here; its Python."""
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample site, beside an environment that has the wheel."""
    folder = tmp_path_factory.mktemp("typed")
    environment_with(wheel, folder / "environment")
    shutil.copytree(ROOT / "tests/infra/typed/shop", folder / "site/shop")
    return folder / "site"


@pytest.mark.slow
def test_a_site_passes_strict_checks_with_the_wheel(site: Path) -> None:
    (site.parent / "mypy.ini").write_text(CONFIG)
    done = subprocess.run(
        ["../environment/bin/python", "-m", "mypy", "--config-file", "../mypy.ini", "shop"],
        cwd=site, env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues found in 4 source files" in done.stdout


def pyright(site: Path) -> dict[str, Any]:
    """What pyright reports of the site in its strict mode; it asks for no newer release.

    It has no plugin for Django, so that the models say their types themselves.
    """
    shutil.copy(ROOT / "tests/infra/typed/without_plugin/models.py", site / "shop")
    python = str(site.parent / "environment/bin/python")
    config = {"typeCheckingMode": "strict", "include": ["shop"]}
    (site / "pyrightconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        [python, "-m", "pyright", "--outputjson", "--pythonpath", python],
        cwd=site, env=os.environ | {"PYTHONPATH": "", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_a_site_passes_pyrights_strict_mode_with_the_wheel(site: Path) -> None:
    found = pyright(site)
    assert found["generalDiagnostics"] == []
    assert found["summary"]["filesAnalyzed"] == 4
    (site / "shop/wrong.py").write_text(WRONG)
    (wrong,) = pyright(site)["generalDiagnostics"]
    assert wrong["rule"] == "reportArgumentType"


def test_the_stubs_name_what_is_loaded() -> None:
    for package in ("lifecycle", "purge"):
        names = re.findall(r" as (\w+)$", (ROOT / package / "__init__.pyi").read_text(), re.M)
        assert sorted(names) == sorted(sys.modules[package].__all__)
