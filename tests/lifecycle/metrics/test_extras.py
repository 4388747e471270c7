"""Without the packages that monitoring wants, all else works, and what wants them says so."""

import subprocess
import sys

import pytest

from tests.infra.servers import ROOT

EXTRAS = {
    "prometheus_client": ("lifecycle.metrics.collector", "lifecycle.metrics.views"),
    "opentelemetry": ("lifecycle.metrics.otel",),
    "health_check": ("lifecycle.metrics.health_checks",),
}
CODE = """
import importlib, pkgutil, sys
import django
extra, wants, *others = sys.argv[1:]
sys.modules[extra] = None
django.setup()
import lifecycle, purge
skipped = {*wants.split(","), *others, "lifecycle.witness.__main__"}
names = [
    each.name for package in (lifecycle, purge)
    for each in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if each.name not in skipped
]
for name in names:
    importlib.import_module(name)
from lifecycle.telemetry import INSTALLED, batch, throttled
assert INSTALLED == (extra != "opentelemetry")
with batch("a", "b") as told:
    told(purged=1)
throttled("a", "b", ["c"], 1.0)
for name in wants.split(","):
    try:
        importlib.import_module(name)
    except Exception as error:
        print(error)
print(len(names))
"""


@pytest.mark.slow
@pytest.mark.parametrize("extra", EXTRAS)
def test_without_an_extra(extra: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, extra, ",".join(EXTRAS[extra])], cwd=ROOT,
        capture_output=True, text=True, env={"DJANGO_SETTINGS_MODULE": "tests.settings",
        "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *said, imported = done.stdout.splitlines()
    assert int(imported) > 300
    assert len(said) == len(EXTRAS[extra])
    assert all("pip install django-tombstone[" in each for each in said)
