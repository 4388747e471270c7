"""A host's own suite by Django's runner, its fixtures, its flush: they work, or say what does."""

import re
from pathlib import Path

import pytest

from tests.lifecycle.install.project import Project, Refused, advised

SEED = """
from datetime import UTC, datetime
from django.db import migrations

def seed(apps, editor):
    carts = apps.get_model("shop", "Cart").objects
    carts.create(pk=1000, paid=True, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    carts.create(pk=1001, paid=False, created_at=datetime(2090, 1, 1, tzinfo=UTC))

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial"), ("keep", "0001_initial")]
    operations = [migrations.RunPython(seed)]
"""
TESTS = """
from datetime import timedelta
from django.core.management import call_command
from django.test import TestCase, TransactionTestCase
from django.utils import timezone
from lifecycle.models import PolicyState
from lifecycle.testing import run_until
from shop.models import Cart

class Life:
    seeded = True

    def test_life(self):
        if PolicyState.objects.get(name="carts").state == "observe":
            call_command("lifecycle", "enable", "carts", "--yes", verbosity=0)
        now = timezone.now()
        Cart.objects.create(created_at=now - timedelta(days=31))
        Cart.objects.create(created_at=now)
        self.assertEqual(run_until(now + timedelta(minutes=1)), {"carts": {"purged": 1}})
        if self.seeded is not None:
            self.assertEqual(Cart.objects.count(), 3 if self.seeded else 1)

    test_life_again = test_life

class Rolled(Life, TestCase): seeded = None
class Serialized(Life, TransactionTestCase): serialized_rollback = True
class Flushed(Life, TransactionTestCase): seeded = None
class Some(Life, TransactionTestCase):
    seeded = None
    available_apps = ["django.contrib.contenttypes", "shop", "keep", "lifecycle", "purge"]
class Reset(Life, TransactionTestCase):
    serialized_rollback = reset_sequences = True
"""
CLASSES = [f"shop.tests.{name}" for name in ("Rolled", "Serialized", "Flushed", "Some")]


@pytest.fixture(scope="module")
def site(project: Project) -> Project:
    project.manage("makemigrations")
    project.write("shop/migrations/0002_seed.py", SEED)
    project.write("shop/tests.py", TESTS)
    project.manage("migrate -v0")
    return project


def ran(told: str) -> int:
    found = re.search(r"Ran (\d+) tests?", told)
    assert found, told
    return int(found[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "left_out"),
    [("--parallel 2", ""), ("--keepdb", ""), ("--keepdb", "Serialized"), ("", "")],
)
def test_every_kind_of_test(site: Project, options: str, left_out: str) -> None:
    """A kept database is without its seeds after a flush, as in Django. The last run drops it."""
    classes = [name for name in CLASSES if not left_out or left_out not in name]
    assert ran(site.manage(f"test --noinput {options} {' '.join(classes)}")) == 2 * len(classes)


@pytest.mark.slow
def test_sequences_too(site: Project) -> None:
    site.change(
        "site_settings.py", "USE_TZ", 'TEST_NON_SERIALIZED_APPS = ["lifecycle", "purge"]\nUSE_TZ'
    )
    assert ran(site.manage("test --noinput shop.tests.Reset")) == 2


@pytest.mark.slow
def test_a_fixture_of_this_ledger_and_of_another(site: Project) -> None:
    path = Path(site.path, "all.json")
    site.manage("lifecycle hold keep.KeptCart:1000 --reason dispute")
    text = "SELECT md5(string_agg(each::text, ',' ORDER BY id)) FROM lifecycle_event AS each"
    site.manage(f"dumpdata -v0 -o {path}")
    before = site.sql(text)
    site.manage(f"loaddata -v0 {path}")
    assert site.sql(text) == before, "not even a microsecond is another"
    path.write_text(path.read_text().replace('"dispute"', '"no dispute"'))
    with pytest.raises(Refused, match=r"append-only(.|\n)*--exclude lifecycle --exclude purge"):
        site.manage(f"loaddata -v0 {path}")
    assert site.sql(text) == before
    site.manage(f"dumpdata --exclude lifecycle --exclude purge -v0 -o {path}",
                f"loaddata -v0 {path}")  # fmt: skip


@pytest.mark.slow
def test_a_flush_is_refused_and_what_it_advises_does_it(site: Project) -> None:
    with pytest.raises(Refused) as refused:
        site.manage("flush --noinput")
    told = str(refused.value)
    assert "append-only" in told
    assert site.sql("SELECT count(*) FROM shop_cart") == 2
    commands = advised(told)
    silent = {"flush": "flush --noinput", commands[0]: f"{commands[0]} --yes"}
    site.manage(*(silent.get(each, each) for each in commands))
    assert site.sql("SELECT count(*) FROM shop_cart") == 0
    site.sql("INSERT INTO shop_cart (paid, created_at) VALUES (false, now())")
    assert "expiry_scheduled 1" in site.kinds()
    site.manage("lifecycle status", "lifecycle verify")
