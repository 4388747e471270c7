"""A logical replica that becomes the site's database: what came past the triggers is told."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from lifecycle import embedded
from tests.demo.telling import own_database
from tests.infra.servers import data_folder, until
from tests.lifecycle.install.project import Project, Refused, advised
from tests.lifecycle.install.test_restoring import OURS, content, dump, follow, records, restore

pytestmark = pytest.mark.skipif(
    not settings.EMBEDDED_DATABASE, reason="a server given by DATABASE_URL has its own wal_level"
)
CARTS = "INSERT INTO shop_cart (paid, created_at) VALUES (false, now() - interval '{} days')"
TABLES = [*(f"lifecycle_{name}" for name in OURS), "lifecycle.salt", "shop_cart"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Project]]:
    """A site with a server of its own, and its code on another database, which is empty."""
    with (
        data_folder() as data,
        embedded.server(data, fsync="off", wal_level="logical") as entry,
        own_database(entry, "origin") as one,
        own_database(entry, "copy") as other,
    ):
        origin = Project(tmp_path_factory.mktemp("origin"), one)
        origin.manage("makemigrations", "migrate -v0")
        origin.sql("CREATE ROLE walsender LOGIN SUPERUSER REPLICATION PASSWORD 'only-a-test'")
        origin.sql(CARTS.format(40))
        origin.sql(CARTS.format(1))
        copy = Project(tmp_path_factory.mktemp("copy"), other)
        for app in ("shop", "keep"):
            shutil.copytree(origin.path / app, copy.path / app, dirs_exist_ok=True)
        yield origin, copy


@contextmanager
def subscribed(origin: Project, copy: Project, tables: str) -> Iterator[None]:
    """Until it is promoted `copy` has all rows of these tables, and what is written to them."""
    origin.sql(f"CREATE PUBLICATION site FOR {tables}")
    origin.sql("SELECT pg_create_logical_replication_slot('site', 'pgoutput')")
    login = re.sub("//[^@]*@", "//walsender:only-a-test@", origin.url)
    copy.sql(
        f"CREATE SUBSCRIPTION site CONNECTION '{login}' PUBLICATION site"
        " WITH (create_slot = false, slot_name = 'site')"
    )
    until(lambda: copy.sql("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"))
    try:
        yield
        at = origin.sql("SELECT pg_current_wal_lsn()")
        behind = "SELECT confirmed_flush_lsn < %s FROM pg_replication_slots"
        until(lambda: not origin.sql(behind, at))
    finally:
        copy.sql("ALTER SUBSCRIPTION site DISABLE")
        copy.sql("ALTER SUBSCRIPTION site SET (slot_name = NONE)")
        copy.sql("DROP SUBSCRIPTION site")
        until(lambda: not origin.sql("SELECT active FROM pg_replication_slots"))
        origin.sql("SELECT pg_drop_replication_slot('site')")
        origin.sql("DROP PUBLICATION site")


@pytest.mark.slow
def test_tables_of_the_site_without_the_ledger(site: tuple[Project, Project]) -> None:
    origin, copy = site
    copy.manage("migrate -v0")
    with subscribed(origin, copy, "TABLE shop_cart"):
        origin.sql(CARTS.format(50))
        until(lambda: copy.sql("SELECT count(*) FROM shop_cart") == 3)
        with pytest.raises(Refused, match="shop_cart come by the subscription site") as refused:
            copy.manage("lifecycle status")
        assert "W132" in copy.manage("check --database default")
    assert copy.kinds() == ["policy_changed 0"], "nothing was recorded"
    assert advised(str(refused.value)) == ["lifecycle backfill --policy carts"]
    copy.manage(*advised(str(refused.value)), "lifecycle status", "purge", "lifecycle verify")
    assert copy.kinds()[-1].startswith(("purged 2", "tombstoned 2"))
    copy.sql("DROP SCHEMA public, lifecycle CASCADE; CREATE SCHEMA public")


@pytest.mark.slow
def test_all_tables_with_the_ledger(site: tuple[Project, Project]) -> None:
    origin, copy = site
    restore(dump(origin, "--schema-only"), copy, "")
    with subscribed(origin, copy, "ALL TABLES"):
        origin.manage("purge")
        origin.sql("DELETE FROM shop_cart WHERE created_at > now() - interval '9 days'")
        with pytest.raises(Refused):
            copy.manage("lifecycle status")
    assert content(copy, *TABLES) == content(origin, *TABLES)
    assert follow(copy) == ["lifecycle install"]
    records(copy)
    copy.manage("purge", "lifecycle verify")
