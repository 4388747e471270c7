"""The guides about places, followed in a fresh project that uses this checkout."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from tests.demo.telling import own_database
from tests.infra.guides import Folder, blocks, follow
from tests.infra.servers import ROOT

from .servers import bouncer

HOW_TO = ROOT / "docs" / "how-to"
SETTINGS = """
import os

from purge.queue import queue

INSTALLED_APPS += ["pgtrigger", "huey.contrib.djhuey", "lifecycle", "purge"]
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
        self.variables.pop("CI", None)
        self.run("django-admin startproject mysite .")
        self.append("mysite/settings.py", SETTINGS)

    def use(self, **databases: str) -> None:
        """Name the databases; each its URL."""
        self.append("mysite/settings.py", "from demo.postgres_url import parse\n")
        entries = ", ".join(f"{alias!r}: parse({url!r})" for alias, url in databases.items())
        self.append("mysite/settings.py", f"DATABASES = {{{entries}}}\n")

    def shell(self, code: str) -> str:
        return self.run(f"python manage.py shell -v0 -c '{code}'").strip()


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


def test_track_a_model_that_is_not_yours(project: Project, databases: list[str]) -> None:
    project.use(default=databases[0])
    project.run("python manage.py migrate -v0")
    project.shell(OLD_USER)
    follow(HOW_TO / "track-a-model-that-is-not-yours.md", project, {})
    assert (project.path / "upkeep/migrations/0001_initial.py").exists()
    project.run("python manage.py check --database default --fail-level WARNING")
    assert project.shell(STATES) == "dormant-users observe, old-sessions enabled"
    project.shell(SESSION)
    project.run("python manage.py makemigrations --check --dry-run; python manage.py purge")
    assert project.shell(SESSIONS_LEFT) == "0 1"


OLD_USER = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils.timezone import now
User.objects.create(username="jo", last_login=now() - timedelta(days=1000))
"""
STATES = """
from lifecycle.models import PolicyState
print(", ".join(f"{each.name} {each.state}" for each in PolicyState.objects.order_by("name")))
"""
SESSION = """
from datetime import timedelta
from django.contrib.sessions.backends.db import SessionStore
from django.utils.timezone import now
store = SessionStore()
store.set_expiry(-5)
store.create()
"""
SESSIONS_LEFT = """
from django.contrib.sessions.models import Session
from lifecycle.models import Event
print(Session.objects.count(), Event.objects.filter(kind="purged", policy="old-sessions").count())
"""


def carts(project: Project, app: str) -> None:
    """An app with a policy."""
    (project.path / app / "migrations").mkdir(parents=True)
    for name in ("__init__.py", "migrations/__init__.py"):
        project.write(f"{app}/{name}", "")
    project.append("mysite/settings.py", f"INSTALLED_APPS += [{app!r}]\n")
    project.write(f"{app}/models.py", APP_MODELS)
    project.write(f"{app}/policies.py", APP_POLICIES.format(name=f"{app}-carts"))


OLD_CART = """
from django.utils.timezone import now
from archive.models import Cart as Old
Old.objects.create(expires_at=now())
"""
CART = f"""{OLD_CART}
from shop.models import Cart
Cart.objects.create(expires_at=now())
"""
CARTS_LEFT = """
from archive.models import Cart as Old
from lifecycle.models import Event
from shop.models import Cart
told = [Event.objects.using(each).get(kind="purged").policy for each in ("default", "second")]
print(Cart.objects.count(), Old.objects.count(), *told)
"""


def router() -> str:
    return blocks(HOW_TO / "several-databases.md")["write: mysite/routers.py"]


def test_several_databases(project: Project, databases: list[str]) -> None:
    project.use(default=databases[0], second=databases[1])
    for app in ("shop", "archive"):
        carts(project, app)
    project.append("mysite/settings.py", "DATABASE_ROUTERS = ['mysite.routers.Router']\n")
    project.write("mysite/routers.py", router())
    project.run("python manage.py makemigrations shop archive")
    follow(HOW_TO / "several-databases.md", project, {})
    project.run("python manage.py check --database default --database second --fail-level WARNING")
    project.shell(CART)
    assert "Purge in second" in project.run("python manage.py purge")
    assert project.shell(CARTS_LEFT) == "0 0 shop-carts archive-carts"


def test_the_default_database_may_be_another_kind(project: Project, databases: list[str]) -> None:
    sqlite = "{'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db.sqlite3'}"
    project.use(second=databases[1])
    project.append("mysite/settings.py", f"DATABASES['default'] = {sqlite}\n")
    carts(project, "archive")
    project.append("mysite/settings.py", "HUEY = queue(database='second')\n")
    project.append("mysite/settings.py", "DATABASE_ROUTERS = ['mysite.routers.Router']\n")
    only_there = router().replace("            return True", '            return db == "second"')
    project.write("mysite/routers.py", only_there)
    project.run("python manage.py makemigrations archive; python manage.py migrate -v0")
    project.run("python manage.py migrate -v0 --database second")
    project.run("python manage.py check --database default --database second --fail-level WARNING")
    project.shell(OLD_CART)
    assert "archive-carts" in project.run("python manage.py purge")


def test_run_behind_pgbouncer(project: Project, databases: list[str]) -> None:
    said = blocks(HOW_TO / "run-behind-pgbouncer.md")
    project.use(default=databases[0])
    carts(project, "archive")
    with bouncer() as entry:
        place = said["django"].replace("pgbouncer.internal", entry["HOST"])
        project.append("mysite/settings.py", place)
        project.append("mysite/settings.py", said["append: mysite/settings.py"])
        project.variables["LIFECYCLE_DIRECT_URL"] = databases[0]
        project.run("python manage.py makemigrations archive; python manage.py migrate -v0")
        project.shell(OLD_CART)
        assert "archive-carts" in project.run("python manage.py purge")
        code = "from huey.contrib.djhuey import HUEY; print(HUEY.storage.conn.info.port)"
        assert project.shell(code) != entry["PORT"]
