"""Names of tables that PostgreSQL cuts, and such with a schema in them."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import isolate_apps
from django.utils import timezone

from lifecycle import Policy, hold
from lifecycle.capture.triggers import triggers_on
from lifecycle.checks.media import quoted_here
from lifecycle.compiler.fingerprint import capture_fingerprint, fingerprint
from lifecycle.compiler.policy_sql import columns_of, compiled
from lifecycle.db.tables import catalogue_name, table_of
from lifecycle.install.after_migrate import sync
from lifecycle.models import Event
from lifecycle.policy import media_fields
from purge.batch.cascade.ties import tables_reached
from purge.runner import run_due
from tests.hostile.roles import run
from tests.lifecycle.checks.test_declarations import messages
from tests.zoo.models import Token

#: the cut goes through the two bytes of a letter
LONG = f"zoo_{'x' * 58}é and more"


def named(name: str) -> None:
    """Let the model's table have this name, and all that was made of the old one be made again."""
    run("ALTER TABLE {} RENAME TO {}", table_of(Token), name)
    Token._meta.db_table = name
    for field in Token._meta.concrete_fields:
        vars(field).pop("cached_col", None)
    for cache in (compiled, columns_of, fingerprint, capture_fingerprint, tables_reached):
        cache.cache_clear()
    for trigger in triggers_on(table_of(Token)):
        with connection.cursor() as cursor:
            cursor.execute(str(trigger.compile(Token).sql))
    sync("default")


@pytest.fixture
def long_name(transactional_db: None) -> Iterator[None]:
    named(LONG)
    try:
        yield
    finally:
        named("zoo_token")


@pytest.mark.slow
@pytest.mark.usefixtures("long_name")
def test_a_name_that_postgresql_cuts_is_as_good_as_another() -> None:
    past, later = (timezone.now() + timedelta(hours=hours) for hours in (-1, 1))
    gone, held, stays = (Token.objects.create(expires_at=at) for at in (past, past, later))
    hold(held)
    out = StringIO()
    call_command("lifecycle", "status", "tokens", stdout=out)
    assert "not" not in out.getvalue()
    found = [m for m in run_database_checks() if "zoo_xxx" in m or "tokens" in m]
    assert found == []
    run_due()
    assert set(Token.objects.all()) == {held, stays}
    (event,) = Event.objects.filter(kind="purged", policy="tokens")
    assert event.subjects == [str(gone.pk)]


def run_database_checks() -> list[str]:
    return [f"{m.obj} {m.msg}" for m in run_checks(tags=["database"], databases=["default"])]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["short", "x" * 63, "x" * 64, LONG, "é" * 40, "x" * 62 + "é"])
def test_names_are_cut_as_postgresql_cuts_them(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::name::text", [name])
        assert cursor.fetchone()[0] == catalogue_name(name)


@isolate_apps("tests.zoo")
@pytest.mark.parametrize("is_parent", [False, True], ids=["its own", "its parent's"])
def test_a_schema_in_a_name_is_refused(is_parent: bool) -> None:
    class Elsewhere(models.Model):
        expires_at = models.DateTimeField(null=True)

        class Meta:
            app_label = "zoo"
            db_table = '"other"."table"'

    class Below(Elsewhere):
        class Meta:
            app_label = "zoo"

    policy = Policy("planted", Below if is_parent else Elsewhere, expires="expires_at")
    assert [m.id for m in messages(policy) if m.id == "lifecycle.E047"] == ["lifecycle.E047"]


@isolate_apps("tests.zoo")
def test_so_it_is_where_only_files_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(models.Model):
        file = models.FileField()

        class Meta:
            app_label = "zoo"
            db_table = '"other"."table"'

    watched = media_fields.WatchedTable(Elsewhere, timedelta(0))
    monkeypatch.setattr("lifecycle.checks.media.watched", lambda: [watched])
    assert [m.id for m in quoted_here()] == ["lifecycle.E047"]
