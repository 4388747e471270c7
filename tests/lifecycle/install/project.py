"""A project of two apps in a folder and a database of its own: `shop` has the models, `keep` the
policies, on proxies. Each `manage` is a new process, so it sees the code as it is then."""

import json
import os
import re
from pathlib import Path
from typing import Any

import psycopg

from tests.infra import forked
from tests.infra.servers import ROOT

SETTINGS = """
import sys
sys.path.insert(0, {root!r})
from demo.postgres_url import parse
DATABASES = {{"default": parse({url!r})}}
SECRET_KEY = "of tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", *{apps!r}]
MIGRATION_MODULES = {{"lifecycle": "migrations.lifecycle", "purge": "migrations.purge"}}
if "huey.contrib.djhuey" in INSTALLED_APPS:
    from purge.queue import queue
    HUEY = queue()
"""
PACKAGE = ["django.contrib.postgres", "pgtrigger", "huey.contrib.djhuey", "lifecycle", "purge"]
RUN = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
from django.core.management import execute_from_command_line
for command in json.loads(sys.argv[1]):
    execute_from_command_line(["manage.py", *command])
"""
CART = """
from django.db import models

class Cart(models.Model):
    paid = models.BooleanField(default=False)
    created_at = models.DateTimeField()
"""
PROXY = """
from shop.models import Cart

class KeptCart(Cart):
    class Meta:
        proxy = True
"""
POLICY = """
from datetime import timedelta
from django.db.models import F, Q
from lifecycle import Policy, register
from .models import KeptCart

end = F("created_at") + timedelta(days=30)
register(Policy("carts", KeptCart, when=Q(paid=False), expires=end))
"""


def advised(told: str) -> list[str]:
    """The commands that messages name, each once, in their order."""
    return list(dict.fromkeys(re.findall(r"`manage\.py ([^`]+)`", told)))


class Refused(Exception):
    """A command that failed; its output."""


class Project:
    """The folder, and its database."""

    warnings: tuple[str, ...] = ("-W", "error")
    timeout = 120.0

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url = path, url
        for app in ("shop", "keep"):
            self.write(f"{app}/__init__.py", "")
            self.write(f"{app}/migrations/__init__.py", "")
        self.install(*PACKAGE)
        self.write("shop/models.py", CART)
        self.write("keep/models.py", PROXY)
        self.write("keep/policies.py", POLICY)

    def install(self, *packages: str, own: tuple[str, ...] = ("shop", "keep")) -> None:
        """The settings, with these in INSTALLED_APPS."""
        apps = [*packages, *own]
        text = SETTINGS.format(root=str(ROOT), url=self.url, apps=apps)
        self.write("site_settings.py", text)

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def manage(self, *commands: str | tuple[str, ...]) -> str:
        """Management commands in one new process; what they print. `Refused` when one fails."""
        lists = [each.split() if isinstance(each, str) else [*each] for each in commands]
        done = forked.run(
            *self.warnings, "-c", RUN, json.dumps(lists), cwd=self.path, timeout=self.timeout,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def migrations(self, app: str) -> list[str]:
        """The names of its migrations."""
        return sorted(path.stem for path in (self.path / app / "migrations").glob("0*.py"))

    def sql(self, text: str, *params: Any) -> Any:
        """The first value of a statement, run and committed as psql does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(text, params or None)
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]

    def kinds(self, **where: Any) -> list[str]:
        """The kinds of the ledger's events since the given id, oldest first."""
        text = "SELECT array_agg(kind || ' ' || count ORDER BY id) FROM lifecycle_event"
        return self.sql(f"{text} WHERE id > %s AND kind <> 'settled'", where.get("since", 0)) or []

    def last(self) -> int:
        """The newest event."""
        return int(self.sql("SELECT coalesce(max(id), 0) FROM lifecycle_event"))

    def triggers(self, table: str) -> int:
        """How many capture triggers a table has."""
        return int(
            self.sql(
                "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(%s)"
                " AND NOT tgisinternal AND starts_with(tgname, 'pgtrigger_lc_')",
                table,
            )
        )
