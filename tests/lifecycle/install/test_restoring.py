"""A host's dumps, restored as hosts do it: nothing is recorded twice or lost, and advice helps."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from lifecycle.embedded.location import binaries
from tests.demo.telling import own_database
from tests.lifecycle.install.project import POLICY, PROXY, Project, Refused, advised

# One table before those of the package in a dump, and one after: dumps go by name.
MODELS = """
from django.db import models

class Cart(models.Model):
    paid = models.BooleanField(default=False)
    created_at = models.DateTimeField()

class Ad(models.Model):
    ends_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ads"
"""
MORE = """
from .models import KeptAd
register(Policy("ads", KeptAd, expires="ends_at", grace=timedelta(days=9)))
"""
AD_PROXY = """
from shop.models import Ad

class KeptAd(Ad):
    class Meta:
        proxy = True
"""
OURS = ("event", "agenda", "exception", "policy", "backfill", "lock")
SITE = ("ads", "shop_cart")

Make = Callable[..., Project]


def postgres(program: str) -> str:
    """A program of PostgreSQL: of the embedded one, where the tests run on that."""
    if settings.EMBEDDED_DATABASE:
        return str(binaries(Path(settings.EMBEDDED_DATABASE).parent) / program)
    found = shutil.which(program)
    assert found, f"{program} is not on the PATH"
    return found


def dump(origin: Project, *options: str) -> str:
    command = [postgres("pg_dump"), *options, origin.url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def restore(text: str, into: Project, expected: str = "") -> None:
    """As `psql` without options does it, which goes on after an error: there are no others."""
    command = [postgres("psql"), "-q", into.url]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    errors = {line.partition("ERROR:  ")[2] for line in done.stderr.splitlines() if "ERROR" in line}
    assert errors == ({expected, 'schema "public" already exists'} if expected else set())


def content(project: Project, *tables: str) -> dict[str, Any]:
    """The rows of tables, whole."""
    text = (
        "SELECT array_agg(row_to_json(each)::text ORDER BY row_to_json(each)::text) FROM {} AS each"
    )
    return {table: project.sql(text.format(table)) for table in tables}


def everything(project: Project) -> dict[str, Any]:
    return content(project, *(f"lifecycle_{name}" for name in OURS), *SITE, "lifecycle.salt")


@pytest.fixture(scope="module")
def make(
    tmp_path_factory: pytest.TempPathFactory, database_server: None, worker_id: str
) -> Iterator[Make]:
    """Makes a project with a database of its own; a copy has the code of another one."""
    with ExitStack() as stack:

        def make(name: str, like: Project | None = None) -> Project:
            entry = settings.DATABASES["default"]
            url = stack.enter_context(own_database(entry, f"test_restoring_{name}_{worker_id}"))
            path = Path(tmp_path_factory.mktemp(name))
            if like:
                shutil.copytree(like.path, path, dirs_exist_ok=True)
            project = Project(path, url)
            project.write("shop/models.py", MODELS)
            project.write("keep/models.py", PROXY + AD_PROXY)
            project.write("keep/policies.py", POLICY + MORE)
            return project

        yield make


@pytest.fixture(scope="module")
def origin(make: Make) -> Project:
    """A site whose ledger says more of its rows than the rows do: one is restored, one is held."""
    project = make("origin")
    project.manage("makemigrations", "migrate -v0")
    project.sql(
        "INSERT INTO ads (ends_at) SELECT now() + make_interval(days => n)"
        " FROM unnest(ARRAY[-1, -1, 5]) n;"
        "INSERT INTO shop_cart (paid, created_at) SELECT false, now() FROM generate_series(1, 3)"
    )
    project.manage("purge", "lifecycle restore keep.KeptAd:1",
                   "lifecycle hold keep.KeptCart:2 --reason dispute")  # fmt: skip
    assert project.sql("SELECT count(*) FROM lifecycle_exception") == 2
    return project


def follow(project: Project) -> list[str]:
    """Do what `status` says until it says nothing; what was advised."""
    with pytest.raises(Refused) as refused:
        project.manage("lifecycle status")
    commands = advised(str(refused.value))
    assert commands, refused.value
    project.manage(*commands)
    project.manage("lifecycle status")
    return commands


def records(project: Project) -> None:
    """A row that is written now is in the ledger, under a number of its own; the guard is on."""
    last = project.last()
    project.sql("INSERT INTO shop_cart (id, paid, created_at) VALUES (900, false, now())")
    assert project.kinds(since=last) == ["expiry_scheduled 1"]
    assert project.sql("SELECT max(id) FROM lifecycle_event") > last
    for change in ("UPDATE lifecycle_event SET count = 7", "DELETE FROM lifecycle_event"):
        with pytest.raises(Exception, match="append-only"):
            project.sql(change)
    with pytest.raises(Exception, match="append-only"):
        project.sql("TRUNCATE lifecycle_event")


@pytest.mark.slow
@pytest.mark.parametrize("form", [(), ("--inserts",)], ids=["copy", "inserts"])
def test_schema_first_then_data(origin: Project, make: Make, form: tuple[str, ...]) -> None:
    copy = make(f"two{len(form)}", origin)
    restore(dump(origin, "--schema-only"), copy)
    assert copy.sql("SELECT count(*) FROM lifecycle_event") == 0
    restore(dump(origin, "--data-only", *form), copy)
    assert everything(copy) == everything(origin), "no event more, none less, none other"
    copy.manage("lifecycle status", "lifecycle verify")
    records(copy)


PARALLEL = ("-j", "2")
SECTIONS = [("--section=pre-data",), ("--section=data", *PARALLEL), ("--section=post-data",)]
SCHEMA, DATA = ("--schema-only",), ("--data-only",)
WAYS: dict[str, tuple[str, list[tuple[str, ...]]]] = {
    "whole": ("-Fc", [PARALLEL]),
    "in one transaction": ("-Fc", [("--single-transaction",)]),
    "by sections": ("-Fd", SECTIONS),
    "data, one after the other": ("-Fc", [SCHEMA, DATA]),
    "data in parallel, past the triggers": (
        "-Fd", [SCHEMA, (*DATA, *PARALLEL, "--disable-triggers")]
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_pg_restore(origin: Project, make: Make, way: str, tmp_path: Path) -> None:
    """Custom and directory format, by `pg_restore` as hosts use it: the ledger event for event."""
    form, calls = WAYS[way]
    copy, file = make(f"restored{list(WAYS).index(way)}", origin), str(tmp_path / "dump")
    dump(origin, form, "-f", file, *(PARALLEL if form == "-Fd" else ()))
    for options in calls:
        command = [postgres("pg_restore"), *options, "-d", copy.url, file]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert everything(copy) == everything(origin)
    assert copy.triggers("ads") == origin.triggers("ads")
    records(copy)


def test_pg_restore_over_what_migrate_has_made(origin: Project, make: Make, tmp_path: Path) -> None:
    """Data alone is refused, as the ledger there has begun; `--clean` replaces all of it."""
    copy, file = make("migrated", origin), str(tmp_path / "dump")
    copy.manage("migrate -v0")
    begun = content(copy, "lifecycle_event")
    dump(origin, "-Fc", "-f", file)
    command = [postgres("pg_restore"), "-d", copy.url, file]
    data = [*command, "--data-only", "--single-transaction", "--disable-triggers"]
    done = subprocess.run(data, capture_output=True, text=True)
    assert "duplicate key value" in done.stderr
    assert content(copy, "lifecycle_event") == begun
    clean = [*command, "--clean", "--if-exists", "--single-transaction"]
    done = subprocess.run(clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert everything(copy) == everything(origin)
    records(copy)


@pytest.mark.slow
def test_data_without_its_sequences(origin: Project, make: Make) -> None:
    """As from a dump of chosen tables: nothing is recorded, and that is said until it is mended."""
    copy = make("unset", origin)
    restore(dump(origin, "--schema-only"), copy)
    data = dump(origin, "--data-only")
    restore(re.sub(r"^SELECT pg_catalog\.setval.*$", "", data, flags=re.MULTILINE), copy)
    assert everything(copy) == everything(origin)
    copy.sql("INSERT INTO ads VALUES (77, now() - interval '1 hour')")
    assert content(copy, "lifecycle_event") == content(origin, "lifecycle_event")
    with pytest.raises(Exception, match="before all data"):
        copy.sql("SELECT lifecycle.write_v1('kept', '', '', NULL, 0, NULL, NULL, NULL, '{}', NULL)")
    assert follow(copy) == ["lifecycle install"]
    records(copy)
    copy.manage("purge", "lifecycle verify")
    story = "SELECT count(*) FROM lifecycle.story_v1() WHERE key = '77' AND model = 'shop.ad'"
    assert copy.sql(story) > 0, "the row that nobody saw is found"
    before = content(origin, "lifecycle_event")["lifecycle_event"]
    assert set(before) <= set(content(copy, "lifecycle_event")["lifecycle_event"])
    assert copy.sql("SELECT count(*) FROM lifecycle_exception WHERE kind = 'restored'") == 1


@pytest.mark.slow
def test_one_schema_without_the_functions(origin: Project, make: Make) -> None:
    copy = make("public", origin)
    restore(dump(origin, "-n", "public"), copy, 'schema "lifecycle" does not exist')
    copy.sql("INSERT INTO ads VALUES (77, now() - interval '1 hour')")
    assert follow(copy) == ["migrate", "lifecycle install"]
    for table in SITE:
        assert copy.triggers(table) == 4
    records(copy)
    copy.manage("purge", "lifecycle verify")
    assert copy.sql("SELECT count(*) FROM lifecycle.story_v1() WHERE key = '77'") > 0
    assert copy.sql("SELECT count(*) FROM lifecycle_exception") == 2
    assert "Nothing to do." in copy.manage("lifecycle install")
    with pytest.raises(Refused, match="came without its salt"):
        copy.manage("purge --replay --yes")


@pytest.mark.slow
def test_a_whole_dump_needs_nothing(origin: Project, make: Make) -> None:
    copy = make("whole", origin)
    restore(dump(origin), copy)
    assert everything(copy) == everything(origin)
    assert "Nothing to do." in copy.manage("lifecycle install")
    copy.manage("purge --replay --yes")
    records(copy)


@pytest.mark.slow
def test_an_empty_copy_of_the_schema(origin: Project, make: Make) -> None:
    copy = make("empty", origin)
    restore(dump(origin, "--schema-only"), copy)
    restore(dump(origin, "--data-only", "-t", "django_migrations"), copy)
    assert "lifecycle install" in copy.manage("migrate")
    assert follow(copy) == ["lifecycle install"]
    records(copy)
    assert copy.sql("SELECT salt FROM lifecycle.salt") != origin.sql(
        "SELECT salt FROM lifecycle.salt"
    )
    copy.manage("purge --replay --yes")  # the ledger was empty, so the new salt is its own
