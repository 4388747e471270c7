"""`lifecycle adopt`: what it says of tables, and that it neither reads nor touches one."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import connection, models
from django.db.models import Q
from django.test.utils import isolate_apps
from django.utils import timezone

from lifecycle.adoption import proposals
from lifecycle.adoption.proposals import Proposal, look
from lifecycle.policy.coverage import asked
from lifecycle.policy.policy import Policy
from tests.commands.documented import assert_documented
from tests.demo.telling import own_database
from tests.lifecycle.adoption.test_write import NOTHING
from tests.lifecycle.install.project import Project
from tests.lifecycle.management.test_commands import manage
from tests.support import session
from tests.zoo.models import Draft, Line, Order

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@contextmanager
def table_of(**fields: Any) -> Iterator[Any]:
    """A model of the site's own with these fields, and its table, while it is looked at."""
    with isolate_apps("tests.zoo"):
        attributes = {"__module__": "tests.zoo.models", "Meta": type("Meta", (), {}), **fields}
        attributes["Meta"].app_label = "zoo"  # type: ignore[attr-defined]
        model: Any = type("Sighting", (models.Model,), attributes)
    with connection.schema_editor() as editor:
        editor.create_model(model)
    try:
        with patch.object(proposals, "asked", lambda: [*asked(), model]):
            yield model
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(model)


def of(model: Any) -> Proposal:
    (found,) = [each for each in look("default") if each.model is model]
    return found


def fill(model: Any, *ages: int) -> None:
    now = timezone.now()
    model.objects.bulk_create(model(created_at=now - age * DAY) for age in ages)
    with connection.cursor() as cursor:
        cursor.execute(f'ANALYZE "{model._meta.db_table}"')


def scans(model: Any) -> int:
    """How often the table was read from one end to the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = %s", [model._meta.db_table]
        )
        return int(cursor.fetchone()[0])


def test_what_would_go_is_estimated_by_statistics() -> None:
    with table_of(created_at=models.DateTimeField()) as model:
        fill(model, *range(0, 2000, 2))
        found = of(model)
        assert (found.kind, found.owner) == ("guess", "")
        assert found.table.rows == 1000
        assert found.due == {"guess-zoo-sighting": pytest.approx(452, abs=20)}  # over 1095 days
        assert "three years are a guess" in found.reason
        if found.counted_by != "counters":
            assert found.a_day == pytest.approx(0.5, abs=0.2)
        before = scans(model)
        of(model)
        assert scans(model) == before


def test_where_nobody_has_counted_nothing_is_said() -> None:
    with table_of(created_at=models.DateTimeField()) as model:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "{model._meta.db_table}" SET (autovacuum_enabled = false)')
        model.objects.create(created_at=timezone.now() - 4000 * DAY)
        assert of(model).due == {"guess-zoo-sighting": None}


def test_every_statement_asks_the_catalogue_or_the_planner() -> None:
    asked_for: list[str] = []

    def listen(execute: Any, text: Any, params: Any, many: bool, context: Any) -> Any:
        asked_for.append(str(text).strip())
        return execute(text, params, many, context)

    with connection.execute_wrapper(listen):
        look("default")
    own = [each for each in asked_for if not each.startswith(("SAVEPOINT", "RELEASE", "SET "))]
    tables = {model._meta.db_table for model in asked()}
    planned = ("EXPLAIN (FORMAT JSON) SELECT", "EXPLAIN (FORMAT json) SELECT")  # ours, and Django's
    reading = [each for each in own if not each.startswith(planned)]
    assert len(reading) == 2  # the catalogue, whatever the number of tables
    assert not [table for table in tables for each in reading if f'"{table}"' in each]


def test_a_transaction_that_can_write_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE written ()")

    monkeypatch.setattr(proposals, "_along", write)
    with pytest.raises(Exception, match="read-only transaction"):
        look("default")


def test_a_role_that_only_reads() -> None:
    table = LogEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE ROLE onlooker; GRANT USAGE ON SCHEMA public TO onlooker;"
            f'GRANT SELECT ON "{table}" TO onlooker'
        )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE onlooker")
        found = {each.model: each for each in look("default")}
        assert found[LogEntry].table.readable
        assert not found[Draft].table.readable
        assert json.loads(manage("lifecycle", "adopt", "--json"))["tables"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE; DROP OWNED BY onlooker; DROP ROLE onlooker")


def test_a_table_that_is_locked_is_not_waited_for() -> None:
    with table_of(created_at=models.DateTimeField()) as model:
        fill(model, 2000, 1)
        with session() as other:
            other.execute(f'LOCK TABLE "{model._meta.db_table}" IN ACCESS EXCLUSIVE MODE')
            found = of(model)
            assert found.due == {"guess-zoo-sighting": None}
            assert found.table.rows == 2
            other.rollback()


def test_what_is_declared_is_left_as_it_is() -> None:
    found = {each.model: each for each in look("default")}
    assert found[Draft].kind == "declared"
    assert "drafts" in found[Draft].name
    assert (found[LogEntry].kind, found[LogEntry].name) == ("scaffold", "admin-log")
    assert found[LogEntry].owner == "django.contrib.admin"


@pytest.mark.parametrize("options", [{}, {"when": Q(grace=None)}, {"on_request": True}])
def test_what_goes_along_with_some_rows_only_has_nothing_that_ends_it(
    options: dict[str, Any],
) -> None:
    ends = {} if "on_request" in options else {"expires": "expires_at"}
    policy = Policy("some", Order, **ends, **options)
    order = Proposal(Order, NOTHING, "", proposals.DECLARED, policies=[policy])
    line = Proposal(Line, NOTHING, "", proposals.NOTHING)
    proposals._along([order, line])
    assert line.kind == (proposals.NOTHING if options else proposals.ALONG)


@pytest.mark.parametrize(("days", "a_day"), [(30, 20), (0.5, None)])
def test_rows_that_come_in_a_day_are_told_by_counters_that_have_counted_for_one(
    days: float, a_day: float | None
) -> None:
    table = replace(NOTHING, inserted=600, since=timezone.now() - days * DAY)
    found = Proposal(Order, table, "", proposals.NOTHING)
    proposals._estimate(found, "default")
    assert found.a_day == (a_day and pytest.approx(a_day, rel=0.01))
    assert found.counted_by == ("counters" if a_day else "")


def test_what_is_printed() -> None:
    data = json.loads(manage("lifecycle", "adopt", "--json"))
    assert_documented("lifecycle adopt", data)
    assert data["written"] == {}
    told = manage("lifecycle", "adopt")
    assert "scaffold: admin-log" in told
    assert "nothing was changed" in told
    without = json.loads(manage("lifecycle", "adopt", "--json", "--without-guesses"))
    assert "guess" in {each["proposed"] for each in data["tables"]}
    assert "guess" not in {each["proposed"] for each in without["tables"]}


@pytest.mark.slow
def test_before_anything_of_ours_is_in_the_database(tmp_path: Path, worker_id: str) -> None:
    with own_database(settings.DATABASES["default"], f"test_adopt_{worker_id}") as url:
        site = Project(tmp_path, url)
        (tmp_path / "keep/policies.py").unlink()
        assert "Nothing to write" in site.manage("lifecycle adopt --write keep")
        site.manage("makemigrations -v0 shop", "migrate -v0 shop")
        site.sql(
            "INSERT INTO shop_cart (paid, created_at)"
            " SELECT true, '2001-01-01' FROM generate_series(1, 50)"
        )
        site.sql("ANALYZE shop_cart")
        assert "guess: guess-shop-cart" in site.manage("lifecycle adopt")
        assert not (tmp_path / "keep/policies.py").exists()
        assert "Written to" in site.manage("lifecycle adopt --write keep")
        site.manage("makemigrations -v0", "migrate -v0")
        assert site.sql("SELECT state FROM lifecycle_policy") == "observe"
        assert "Nothing to write" in site.manage("lifecycle adopt --write keep")


@pytest.mark.slow
def test_two_hundred_tables_in_seconds() -> None:
    with isolate_apps("tests.zoo"):
        meta = type("Meta", (), {"app_label": "zoo"})
        many: list[Any] = [
            type(f"Many{n}", (models.Model,), {
                "__module__": "tests.zoo.models", "Meta": meta,
                "created_at": models.DateTimeField(auto_now_add=True),
            })
            for n in range(200)
        ]  # fmt: skip
    with connection.schema_editor() as editor:
        for model in many:
            editor.create_model(model)
    try:
        with connection.cursor() as cursor:
            for model in many:
                cursor.execute(f'INSERT INTO "{model._meta.db_table}" (created_at) SELECT now();'
                               f'ANALYZE "{model._meta.db_table}"')  # fmt: skip
        with patch.object(proposals, "asked", lambda: [*asked(), *many]):
            began = time.process_time(), time.monotonic()
            found = [each for each in look("default") if each.model in many]
            taken = time.process_time() - began[0], time.monotonic() - began[1]
        assert len(found) == 200
        assert all(each.due for each in found)
        assert taken[0] < 5, taken
    finally:
        with connection.schema_editor() as editor:
            for model in many:
                editor.delete_model(model)
