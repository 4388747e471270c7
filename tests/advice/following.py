"""One site, in which guides are followed one after the other; each begins with what it needs."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from tests.demo.telling import own_database
from tests.infra.guides import MARKED
from tests.infra.servers import ROOT
from tests.lifecycle.install.test_restoring import postgres
from tests.places.test_guides import Project

HOW_TO = ROOT / "docs" / "how-to"
MODELS = """
from django.db import models
from lifecycle import LifecycleQuerySetMixin


class CartQuerySet(LifecycleQuerySetMixin, models.QuerySet):
    pass


class Cart(models.Model):
    paid = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CartQuerySet.as_manager()


class Draft(models.Model):
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CartQuerySet.as_manager()


class Customer(models.Model):
    name = models.TextField()


class Address(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)


class Avatar(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    file = models.FileField(upload_to="avatars")


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.SET_NULL, null=True)


class AuditLog(models.Model):
    actor = models.TextField()
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "audit_logs"


class Coupon(models.Model):
    campaign = models.TextField()
    ends_at = models.DateTimeField()


class Invoice(models.Model):
    number = models.TextField()
"""
SETTINGS = """
INSTALLED_APPS += ["shop"]
MEDIA_ROOT = BASE_DIR / "media"
"""
RUN = """
import json, os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
from django.core.management import execute_from_command_line
for command in json.loads(sys.argv[1]):
    execute_from_command_line(["manage.py", *command])
    print(end="\\0", flush=True)
"""
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


def pattern(shown: str) -> str:
    """What output has to match: as the page shows it, at whatever time."""
    return r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC".join(map(re.escape, TIME.split(shown)))


def psql(url: str) -> dict[str, str]:
    """What lets psql and pg_dump find the database without an argument."""
    parts = conninfo_to_dict(url)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    names |= {"dbname": "PGDATABASE"}
    return {names[part]: str(value) for part, value in parts.items() if part in names and value}


class Site(Project):
    """`mysite` with the app `shop` on a database of its own."""

    def __init__(self, path: Path, url: str) -> None:
        super().__init__(path)
        self.url = url
        self.variables |= {"LOGNAME": "jo", **psql(url)}
        programs = [str(Path(postgres("psql")).parent), self.variables["PATH"]]
        self.variables["PATH"] = os.pathsep.join(programs)
        self.use(default=url)
        for name in ("__init__.py", "policies.py", "migrations/__init__.py"):
            (path / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
            self.write(f"shop/{name}", "")
        self.write("shop/models.py", MODELS)
        self.append("mysite/settings.py", SETTINGS)

    def sql(self, text: str) -> list[tuple[object, ...]]:
        """Statements past Django; the rows of the last."""
        with psycopg.connect(self.url, autocommit=True) as session:
            cursor = session.execute(text)
            return cursor.fetchall() if cursor.description else []

    def archive(self) -> str:
        """The name of the only archive that there is."""
        [(name,)] = self.sql("SELECT name FROM purge_archive")
        return str(name)

    def files(self, *names: str) -> None:
        for name in names:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            self.write(name, "...")

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.path / folder).iterdir())

    def code(self, text: str) -> str:
        """Lines of Python, in the site."""
        self.write("typed.py", text)
        return self.run("python manage.py shell -v0 < typed.py")

    def manage(self, *commands: str) -> str:
        """Management commands as one process, each as if typed; what they print."""
        return "".join(self.told([shlex.split(command) for command in commands]))

    def told(self, commands: list[list[str]]) -> list[str]:
        """What each prints. A process for each would be most of the time that guides take."""
        self.write("run.py", RUN)
        return self.run(f"python run.py {shlex.quote(json.dumps(commands))}").split("\0")[:-1]

    def typed(self, text: str) -> str:
        """Run the lines of a block; what each prints is what the block shows below it, if any."""
        lines = commands_of(text)
        told: list[str] = []
        for ours, group in groupby(lines, by_manage):
            typed = [command for command, _ in group]
            split = [shlex.split(each)[2:] for each in typed]
            told += self.told(split) if ours else map(self.run, typed)
        for (command, shown), output in zip(lines, told, strict=True):
            assert re.search(pattern(shown), output), f"{command}\n{output}"
        return "".join(told)

    @contextmanager
    def running(self, command: str) -> Iterator[None]:
        """A command that does not end by itself, while the block runs."""
        process = subprocess.Popen(
            command.split(), cwd=self.path, env=self.variables, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)

    def follow(self, guide: str, **replaced: str) -> list[str]:
        """Do what the marked blocks of a guide say, in order; what was printed."""
        return [self.do(*block) for block in marked(guide, **replaced)]

    def do(self, mark: str, text: str) -> str:
        action, _, name = mark.partition(": ")
        if action in ("write", "append"):
            getattr(self, action)(name, text)
            return ""
        assert action == "run", mark
        return self.typed(text)


def commands_of(block: str) -> list[tuple[str, str]]:
    """Each command of a block, and what the block shows of its output."""
    if not block.startswith("$ "):
        return [(line, "") for line in block.replace("\\\n", " ").splitlines() if line]
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].strip()) for part in parts]


def by_manage(line: tuple[str, str]) -> bool:
    return line[0].startswith("python manage.py ")


@contextmanager
def fresh(folder: Path, name: str) -> Iterator[Site]:
    """A site in which nothing was done, on a database of this name, dropped afterwards."""
    with own_database(settings.DATABASES["default"], name) as url:
        yield Site(folder, url)


def marked(guide: str, **replaced: str) -> list[tuple[str, str]]:
    """Mark and text of each marked block of a how-to guide."""
    page = (HOW_TO / guide).read_text()
    for old, new in replaced.items():
        page = page.replace(old, new)
    return [(found["mark"], found["text"]) for found in MARKED.finditer(page)]
