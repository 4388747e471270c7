"""The guides about places, followed in a fresh project that uses this checkout."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command

from tests.demo.telling import own_database
from tests.infra.guides import Folder, blocks, follow
from tests.infra.servers import ROOT
from tests.places.servers import bouncer

HOW_TO = ROOT / "docs" / "how-to"
SETTINGS = """
import os

from purge.queue import queue

INSTALLED_APPS += [
    "django.contrib.postgres",
    "pgtrigger",
    "huey.contrib.djhuey",
    "lifecycle",
    "purge",
]
MIGRATION_MODULES = {"lifecycle": "migrations.lifecycle", "purge": "migrations.purge"}
HUEY = queue()
"""
APP_MODELS = """
from django.db import models

class Cart(models.Model):
    expires_at = models.DateTimeField()
"""
APP_POLICIES = """
from lifecycle import Policy, register
from .models import Cart

register(Policy("{name}", Cart, expires="expires_at"))
"""


class Project(Folder):
    """A project by `startproject`, with the packages of this checkout."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Path(sys.prefix))
        self.variables |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        call_command("startproject", "mysite", str(path))
        self.append("mysite/settings.py", SETTINGS)

    def use(self, **databases: str) -> None:
        """Name the databases; each its URL."""
        self.append("mysite/settings.py", "from demo.postgres_url import parse\n")
        entries = ", ".join(f"{alias!r}: parse({url!r})" for alias, url in databases.items())
        self.append("mysite/settings.py", f"DATABASES = {{{entries}}}\n")

    def manage(self, *commands: str) -> str:
        return self.run("\n".join(f"python manage.py {command}" for command in commands))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def databases(database_server: None) -> Iterator[list[str]]:
    """The URLs of two empty databases."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with ExitStack() as stack:
        entry = settings.DATABASES["default"]
        names = [f"test_guide{worker}_{each}" for each in ("one", "two")]
        yield [stack.enter_context(own_database(entry, name)) for name in names]


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Raw SQL, which the project's own code does not see."""
    with psycopg.connect(url, autocommit=True) as session:
        cursor = session.execute(sql)
        return cursor.fetchall() if cursor.description else []


PURGED = "SELECT policy, count FROM lifecycle_event WHERE kind = 'purged' ORDER BY id"


@pytest.mark.slow
def test_track_a_model_that_is_not_yours(project: Project, databases: list[str]) -> None:
    project.use(default=databases[0])
    project.manage("migrate -v0")
    ask(databases[0], OLD_USER)
    follow(HOW_TO / "track-a-model-that-is-not-yours.md", project, {})
    assert (project.path / "upkeep/migrations/0001_initial.py").exists()
    project.manage("check --database default --fail-level WARNING")
    states = ask(databases[0], "SELECT name, state FROM lifecycle_policy ORDER BY 1")
    assert states == [("dormant-users", "observe"), ("old-sessions", "enabled")]
    # Listed under the next full second: an end of just now may not be due yet.
    ask(databases[0], "INSERT INTO django_session VALUES ('secret', '', now() - interval '1 hour')")
    project.manage("purge")
    assert ask(databases[0], PURGED) == [("old-sessions", 1)]
    assert ask(databases[0], "SELECT * FROM django_session") == []


OLD_USER = """
INSERT INTO auth_user (username, last_login, date_joined, password, first_name, last_name, email,
                       is_superuser, is_staff, is_active)
VALUES ('jo', now() - interval '1000 days', now(), '', '', '', '', false, false, true)
"""


def carts(project: Project, app: str) -> None:
    """An app with a policy."""
    (project.path / app / "migrations").mkdir(parents=True)
    for name in ("__init__.py", "migrations/__init__.py"):
        project.write(f"{app}/{name}", "")
    project.append("mysite/settings.py", f"INSTALLED_APPS += [{app!r}]\n")
    project.write(f"{app}/models.py", APP_MODELS)
    project.write(f"{app}/policies.py", APP_POLICIES.format(name=f"{app}-carts"))


def router() -> str:
    return blocks(HOW_TO / "several-databases.md")["write: mysite/routers.py"]


@pytest.mark.slow
def test_several_databases(project: Project, databases: list[str]) -> None:
    project.use(default=databases[0], second=databases[1])
    for app in ("shop", "archive"):
        carts(project, app)
    project.append("mysite/settings.py", "DATABASE_ROUTERS = ['mysite.routers.Router']\n")
    project.write("mysite/routers.py", router())
    project.manage("makemigrations shop archive")
    follow(HOW_TO / "several-databases.md", project, {})
    for url, app in zip(databases, ("shop", "archive"), strict=True):
        ask(url, f"INSERT INTO {app}_cart (expires_at) VALUES (now() - interval '5 s')")
    assert "Purge in second" in project.manage("purge")
    assert [ask(url, PURGED) for url in databases] == [[("shop-carts", 1)], [("archive-carts", 1)]]


@pytest.mark.slow
def test_run_behind_pgbouncer(project: Project, databases: list[str]) -> None:
    said = blocks(HOW_TO / "run-behind-pgbouncer.md")
    project.use(default=databases[0])
    carts(project, "archive")
    with bouncer() as entry:
        place = said["django"].replace("pgbouncer.internal", entry["HOST"])
        project.append("mysite/settings.py", place)
        project.append("mysite/settings.py", said["append: mysite/settings.py"])
        project.variables["LIFECYCLE_DIRECT_URL"] = databases[0]
        project.manage("makemigrations archive", "migrate -v0")
        ask(databases[0], "INSERT INTO archive_cart (expires_at) VALUES (now() - interval '5 s')")
        project.manage("purge")
    assert ask(databases[0], PURGED) == [("archive-carts", 1)]
