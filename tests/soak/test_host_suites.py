"""A host's suite in circumstances that take long: a kept database, other forms of psycopg.

In every run of the tests: tests/host/test_suite.py, whose suite has freezegun in it too.
"""

import importlib.util
import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings

from tests.host.test_suite import COMMAND
from tests.infra.servers import ROOT
from tests.purge.worker.consumer import PARTS, address

pytestmark = pytest.mark.usefixtures("database_server")
SUITE = [word for word in COMMAND if word != "--create-db"] + ["--ds=tests.host.settings"]


def run(name: str, *command: str, **environment: str) -> str:
    """What a suite prints; the run has to succeed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600,
        env=kept | {"HOST_DATABASE": name} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def drop(*names: str) -> None:
    entry = settings.DATABASES["default"]
    given = {name: entry[part] for part, name in PARTS.items() if entry.get(part)}
    given |= entry.get("OPTIONS", {}) | {"dbname": "postgres"}
    with psycopg.connect(**given, autocommit=True) as server:
        for name in names:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_a_kept_database() -> None:
    try:
        made = run("test_kept", *SUITE, "--reuse-db", "--create-db")
        again = run("test_kept", *SUITE, "--reuse-db")
        assert made.splitlines()[-1].split(" in ")[0] == again.splitlines()[-1].split(" in ")[0]
        assert "skipped" not in again
    finally:
        drop("test_kept")


@pytest.mark.parametrize("how", [("-n", "2"), ("--nomigrations",)], ids=" ".join)
def test_ways_of_pytest(how: tuple[str, ...]) -> None:
    said = run("test_ways", *SUITE, "--create-db", *how)
    assert "skipped" not in said
    assert "capture was absent" not in said


def test_djangos_runner_in_parallel() -> None:
    command = (sys.executable, "-m", "django", "test", "--settings", "tests.host.settings")
    said = run(
        "test_parallel", *command, "--parallel", "2", "tests.host.sample", DATABASE_URL=address()
    )  # fmt: skip
    assert "OK" in said
    assert "skipped" not in said


@pytest.mark.parametrize("form", ["python", "binary", "c"])
def test_forms_of_psycopg(form: str) -> None:
    module = {"python": "psycopg", "binary": "psycopg_binary", "c": "psycopg_c"}[form]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: it is built with pg_config and a C compiler")
    name = f"test_form_{form}"
    said = run(name, *SUITE, "--create-db", PSYCOPG_IMPL=form)
    assert "skipped" not in said
