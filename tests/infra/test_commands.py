"""`manage.py` in its own process: with the database down, with wrong settings, with a server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demo import environment
from demo.kept import embedded_database
from lifecycle import embedded
from lifecycle.embedded.location import place
from tests.infra.servers import ROOT, answers

DOWN = "postgres://nobody@127.0.0.1:1/none"


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with `variables`, none of the project's others, and the demo's settings."""
    ours = environment.EXAMPLES.keys() | {"DJANGO_SETTINGS_MODULE"}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "manage.py", *arguments],
        cwd=ROOT,
        env=inherited | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", [("check",), ("makemigrations", "--check", "--dry-run")])
@pytest.mark.parametrize("variables", [{}, {"DATABASE_URL": DOWN}])
def test_works_with_the_database_down(command: tuple[str, ...], variables: dict[str, str]) -> None:
    done = manage(*command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DEBUG": "maybe"}, "DEBUG is neither true nor false"),
        ({"DEBUG": "0"}, "DJANGO_SECRET_KEY is required"),
        ({"DEBUG": "0", "DJANGO_SECRET_KEY": "k" * 50}, "ALLOWED_HOSTS is required"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is set but empty"),
        ({"CSRF_TRUSTED_ORIGINS": "a.com"}, "CSRF_TRUSTED_ORIGINS needs http"),
        ({"DATABASE_URL": "postgres://h"}, "DATABASE_URL names no database"),
        ({"REDIS_URL": "redis"}, "REDIS_URL is not an address"),
        ({"DEFAULT_FROM_EMAIL": "x"}, "DEFAULT_FROM_EMAIL is not a mail address"),
    ],
)
def test_a_wrong_setting_is_one_line(variables: dict[str, str], message: str) -> None:
    done = manage("check", **variables)
    assert done.returncode == 1
    assert done.stderr.startswith(f"manage.py: {message}")
    assert done.stderr.count("\n") == 1


def test_a_command_starts_the_server_and_stops_it() -> None:
    path = embedded_database(ROOT / ".data")
    if answers(path):
        pytest.skip("the checkout's own server is in use")
    statement = "from django.db import connection as c; c.ensure_connection(); print(c.vendor)"
    done = manage("shell", "-v0", "-c", statement)
    assert done.stdout.strip() == "postgresql", done.stderr
    assert not answers(path)


def test_a_checkout_that_is_made_anew_has_a_database_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / ".data"
    first = embedded_database(folder)
    assert first == embedded_database(folder)
    shutil.rmtree(folder)
    assert place(embedded_database(folder)) != place(first)


def test_the_command_line_names_its_commands_without_a_server() -> None:
    assert "runserver" in manage("help").stdout
    assert not (place(ROOT / ".data" / "nothing")).exists()


def test_importing_the_entry_touches_nothing(tmp_path: Path) -> None:
    embedded.database(tmp_path / "db")
    assert not (tmp_path / "db").exists()
    assert not place(tmp_path / "db").exists()
