"""What the database takes along: files, receipts, archives, locks, and keys that no model knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.utils import timezone

import purge
from lifecycle import Archive, hold, release
from lifecycle.models import Event
from lifecycle.policy.coverage import taken_along
from lifecycle.policy.registry import get_policy
from purge.batch.cascade import ties
from purge.exceptions import ErasureRefused
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.purge.batch.cascades.models import Area, Crate, Label, Low, Mid, Scrap, Shelf, Top
from tests.purge.batch.cascades.test_on_delete import blocked, left
from tests.purge.batch.cascades.ways import NATIVE, WAYS
from tests.support import Background, events_of, let_pass, run_until_idle, session
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

EMPTY = {f"{way}_id": None for way in WAYS}
#: a key by which the database takes rows along, as a model declares it or not
CASCADE = "db_cascade" if NATIVE else "sql_cascade"


def top(**values: Any) -> Top:
    """A row past its end."""
    return Top.objects.create(expires_at=timezone.now() - timedelta(minutes=5), **values)


def mid(upper: Top, way: str = CASCADE, **values: Any) -> Mid:
    return Mid.objects.create(**EMPTY | {f"{way}_id": upper.pk} | values)


def low(upper: Mid, way: str = CASCADE, **values: Any) -> Low:
    return Low.objects.create(**EMPTY | {f"{way}_id": upper.pk} | values)


def purged(model: str = "cascades.top") -> dict[str, Any]:
    return dict(Event.objects.get(kind="purged", model=model, cause="").detail)


def sql(text: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, params or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def changed() -> Iterator[Any]:
    """Changes tables; takes it back afterwards."""
    undo: list[str] = []

    def change(text: str, back: str) -> None:
        sql(text)
        undo.insert(0, back)

    yield change
    for text in undo:
        sql(text)


@contextmanager
def before(part: str, call: Any) -> Iterator[None]:
    """Call once, in another session, before a statement that has this in it."""
    calls = [call]

    def wrap(execute: Any, text: str, *rest: Any) -> Any:
        if calls and part in text:
            Background(calls.pop()).result()
        return execute(text, *rest)

    with connection.execute_wrapper(wrap):
        yield
    assert not calls


@pytest.mark.slow
def test_files_of_rows_that_the_database_takes_along_are_orphans() -> None:
    kept = Top.objects.create()
    Scrap.objects.create(top=kept, file="kept")
    Scrap.objects.create(top=top(), file="gone")
    run_due()
    (event,) = Event.objects.filter(kind="media_orphaned", model="cascades.scrap")
    assert event.detail["names"] == ["gone"]
    assert [row.top for row in Scrap.objects.all()] == [kept]
    assert purged()["cascade"] == {"cascades.scrap": 1}


@pytest.mark.skipif(not NATIVE, reason="no model can say so before Django 6.1")
def test_coverage_knows_that_they_go() -> None:
    assert Scrap in taken_along(get_policy("tops"))


@pytest.mark.slow
def test_an_erasure_tells_what_the_database_took() -> None:
    one, other = Top.objects.create(), Top.objects.create()
    for each in (one, other):
        low(mid(each, file=f"mid-{each.pk}"), file=f"low-{each.pk}")
        mid(each, "sql_set_null")
    dry = purge.erase(one, reference="R-1", actor="jo", dry_run=True)
    assert left(Top, Mid, Low) == [2, 4, 2]
    receipt = purge.erase(one, reference="R-1", actor="jo")
    for told in (dry, receipt):
        assert told.cascade == {"cascades.low": 1, "cascades.mid": 1}
        assert told.unlinked == {"cascades.mid": 1}
        assert told.media == [f"low-{one.pk}", f"mid-{one.pk}"]
    assert left(Top, Mid, Low) == [1, 3, 1]
    along = Event.objects.get(kind="purged", model="cascades.mid")
    assert (along.cause, along.policy, along.count) == ("cascade", "tops-asked", 1)


@pytest.mark.slow
def test_an_erasure_is_refused_by_the_hold_of_what_the_database_would_take() -> None:
    one = Top.objects.create()
    held = low(mid(one))
    number = hold(held, reference="A-12")
    with pytest.raises(ErasureRefused, match=f"hold {number} on cascades.low:{held.pk}"):
        purge.erase(one, reference="R-1", actor="jo")
    assert left(Top, Mid, Low) == [1, 1, 1]
    release(held)
    purge.erase(one, reference="R-1", actor="jo")
    assert left(Top, Mid, Low) == [0, 0, 0]


@pytest.mark.slow
def test_what_is_to_be_archived_first_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("mids"), "disposition", Archive(prefix="mids/"))
    kept = top()
    top()
    row = mid(kept)
    run_due()
    assert list(Top.objects.all()) == [kept]
    assert blocked()["by"] == [f"cascades.Mid:{row.pk}"]
    assert blocked()["error"] == "ArchivedBelow"


def test_a_dry_run_counts_and_takes_nothing() -> None:
    low(mid(top()))
    assert run_policy(get_policy("tops"), PassOptions(dry=True)).purged == 1
    assert left(Top, Mid, Low) == [1, 1, 1]


@pytest.mark.slow
def test_a_batch_counts_what_the_database_takes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("tops"), "batch_rows", 12)
    for _ in range(6):
        low(mid(top()))
    run_due()
    told = Event.objects.filter(kind="purged", model="cascades.top")
    sizes = [each.count + sum(each.detail["cascade"].values()) for each in told]
    assert sum(sizes) == 18
    assert max(sizes) <= 12


@pytest.mark.slow
@pytest.mark.parametrize("model", [Mid, Low])
def test_a_row_that_a_host_has_locked_is_not_waited_for(model: Any) -> None:
    kept, free = top(), top()
    for each in (kept, free):
        low(mid(each))
    row = model.objects.order_by("pk")[0]
    with session() as host:
        host.execute(f"SELECT FROM {model._meta.db_table} WHERE id = %s FOR UPDATE", [row.pk])
        Background(run_due).result()
        host.execute("SET LOCAL lock_timeout = '2s'")
        host.execute("SELECT FROM cascades_top WHERE id = %s FOR UPDATE", [kept.pk])  # nor we
    assert list(Top.objects.all()) == [kept]
    assert "blocked" not in events_of(kept)
    run_until_idle()
    assert left(Top, Mid, Low) == [0, 0, 0]


@pytest.mark.slow
def test_a_hold_placed_while_rows_go_counts() -> None:
    row = low(mid(top()))
    with before('DELETE FROM "cascades_low"', lambda: hold(row)):
        run_due()
    assert left(Top, Mid, Low) == [1, 1, 1]
    run_until_idle()
    assert blocked()["by"] == [f"cascades.Low:{row.pk}"]


def test_a_key_that_comes_while_rows_go_counts(changed: Any) -> None:
    """A migration may add one between the look and the DELETE: what it would take was not seen."""
    one = top()
    Label.objects.create(pk=one.pk)
    hold(Label.objects.get())
    text = (
        "ALTER TABLE cascades_label ADD CONSTRAINT late FOREIGN KEY (id)"
        " REFERENCES cascades_top ON DELETE CASCADE"
    )
    changed("SELECT", "ALTER TABLE cascades_label DROP CONSTRAINT IF EXISTS late")
    with before('DELETE FROM "cascades_top"', lambda: sql(text)):
        run_due()
    assert left(Top, Label) == [1, 1]
    run_until_idle()
    assert blocked()["by"] == [f"cascades.Label:{one.pk}"]


@pytest.mark.slow
def test_a_key_that_came_since_the_last_batch_counts(changed: Any) -> None:
    """A process remembers that it found none, and asks again before it commits."""
    Token.objects.create(expires_at=timezone.now() - timedelta(minutes=5))
    run_due()
    assert not Token.objects.exists()
    changed(
        "ALTER TABLE cascades_label ADD token bigint REFERENCES zoo_token ON DELETE CASCADE",
        "ALTER TABLE cascades_label DROP token",
    )
    token = Token.objects.create(expires_at=timezone.now() - timedelta(minutes=5))
    sql("INSERT INTO cascades_label (token) VALUES (%s)", token.pk)
    held = Label.objects.get()
    hold(held)
    run_due()
    assert left(Token, Label) == [1, 1]
    assert blocked()["by"] == [f"cascades.Label:{held.pk}"]  # at once, not as if it were locked
    release(held)
    let_pass(timedelta(minutes=5))
    run_until_idle()
    assert left(Token, Label) == [0, 0]


@pytest.mark.slow
def test_a_ring_of_ties(changed: Any) -> None:
    changed(
        "ALTER TABLE cascades_area ADD next bigint REFERENCES cascades_area ON DELETE CASCADE,"
        " ADD top bigint REFERENCES cascades_top ON DELETE CASCADE",
        "ALTER TABLE cascades_area DROP next, DROP top",
    )
    areas = [Area.objects.create() for _ in range(4)]
    ring, other = [each.pk for each in areas[:3]], areas[3]
    for one, following in zip(ring, [*ring[1:], ring[0]], strict=True):
        sql("UPDATE cascades_area SET next = %s WHERE id = %s", following, one)
    sql("UPDATE cascades_area SET top = %s WHERE id = %s", top().pk, ring[0])
    hold(areas[2])
    run_due()
    assert left(Top, Area) == [1, 4]
    assert blocked()["by"] == [f"cascades.Area:{ring[2]}"]
    release(areas[2])
    let_pass(timedelta(minutes=5))
    run_until_idle()
    assert list(Area.objects.all()) == [other]
    assert purged()["cascade"] == {"cascades.area": 3}


@pytest.mark.slow
def test_a_column_that_the_model_does_not_have(changed: Any) -> None:
    changed(
        "ALTER TABLE cascades_label ADD top bigint REFERENCES cascades_top ON DELETE CASCADE",
        "ALTER TABLE cascades_label DROP top",
    )
    kept, free = top(), top()
    for each in (kept, free):
        sql("INSERT INTO cascades_label (top) VALUES (%s)", each.pk)
    Label.objects.create()
    held = Label.objects.order_by("pk")[0]
    hold(held)
    run_due()
    assert list(Top.objects.all()) == [kept]
    assert blocked()["by"] == [f"cascades.Label:{held.pk}"]
    assert Label.objects.count() == 2
    assert purged()["cascade"] == {"cascades.label": 1}


@pytest.fixture
def legacy(changed: Any) -> None:
    """A table without a model between two that have one."""
    changed(
        'CREATE TABLE "Legacy 100%" (name text UNIQUE, top bigint'
        " REFERENCES cascades_top ON DELETE CASCADE); ALTER TABLE cascades_label ADD legacy text"
        ' REFERENCES "Legacy 100%" (name) ON DELETE CASCADE',
        'ALTER TABLE cascades_label DROP legacy; DROP TABLE "Legacy 100%"',
    )


@pytest.mark.slow
@pytest.mark.usefixtures("legacy")
@pytest.mark.parametrize("alone", [False, True])
def test_a_table_without_a_model_is_counted_and_looked_through(
    monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    if alone:
        for module in ("sets", "ties"):
            monkeypatch.setattr(f"purge.batch.cascade.{module}.tree", lambda model: None)
        monkeypatch.setattr(ties, "tables_reached", ties.tables_reached.__wrapped__)
    kept, free, third = top(), top(), Top.objects.create()
    for each in (kept, free, third):
        sql('INSERT INTO "Legacy 100%%" VALUES (%s, %s)', f"of {each.pk}", each.pk)
        sql("INSERT INTO cascades_label (legacy) VALUES (%s)", f"of {each.pk}")
    held = Label.objects.order_by("pk")[0]
    hold(held)
    run_due()
    assert set(Top.objects.all()) == {kept, third}
    assert blocked()["by"] == [f"cascades.Label:{held.pk}"]
    assert purged()["cascade"] == {"Legacy 100%": 1, "cascades.label": 1}
    assert sql('SELECT count(*) FROM "Legacy 100%"') == [(2,)]
    assert Label.objects.count() == 2


@pytest.mark.slow
def test_rows_of_a_partitioned_table_without_a_model_are_told_apart(changed: Any) -> None:
    """Two rows, each the first of its partition: they lie at the same place."""
    changed(
        "CREATE TABLE parted (name text, half integer, top bigint REFERENCES cascades_top"
        " ON DELETE CASCADE, PRIMARY KEY (name, half)) PARTITION BY LIST (half);"
        " CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);"
        " CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);"
        " ALTER TABLE cascades_label ADD name text, ADD half integer,"
        " ADD FOREIGN KEY (name, half) REFERENCES parted ON DELETE CASCADE",
        "ALTER TABLE cascades_label DROP name, DROP half; DROP TABLE parted",
    )
    kept, free = Top.objects.create(), top()
    for half, each in enumerate((kept, free), 1):
        sql("INSERT INTO parted VALUES ('a', %s, %s)", half, each.pk)
        sql("INSERT INTO cascades_label (name, half) VALUES ('a', %s)", half)
    hold(Label.objects.order_by("pk")[0])
    run_due()
    assert list(Top.objects.all()) == [kept]
    assert purged()["cascade"] == {"parted": 1, "cascades.label": 1}
    assert sql("SELECT half FROM parted") == sql("SELECT half FROM cascades_label") == [(1,)]


@pytest.mark.slow
def test_a_key_of_several_columns(changed: Any) -> None:
    changed(
        "CREATE TABLE legacy_pair (crate varchar, number integer, top bigint"
        " REFERENCES cascades_top ON DELETE CASCADE, FOREIGN KEY (crate, number)"
        " REFERENCES cascades_shelf (crate_id, number) ON DELETE CASCADE)",
        "DROP TABLE legacy_pair",
    )
    for mark in ("a", "b"):
        ended = timezone.now() - timedelta(hours=1) if mark == "a" else None
        crate = Crate.objects.create(mark=mark, expires_at=ended)
        for number in (1, 2):
            Shelf.objects.create(crate=crate, number=number, code=f"{mark}{number}")
            sql("INSERT INTO legacy_pair (crate, number) VALUES (%s, %s)", mark, number)
    run_due()
    assert purged("cascades.crate")["cascade"] == {"cascades.shelf": 2, "legacy_pair": 2}
    assert sql("SELECT DISTINCT crate FROM legacy_pair") == [("b",)]
    assert left(Crate, Shelf) == [1, 2]


@pytest.mark.slow
def test_a_key_that_is_switched_off_takes_nothing(changed: Any) -> None:
    changed(
        "CREATE TABLE legacy_off (top bigint REFERENCES cascades_top ON DELETE CASCADE);"
        " ALTER TABLE cascades_top DISABLE TRIGGER ALL;"
        " ALTER TABLE cascades_top ENABLE TRIGGER USER",
        "ALTER TABLE cascades_top ENABLE TRIGGER ALL; DROP TABLE legacy_off",
    )
    row = top()
    sql("INSERT INTO legacy_off VALUES (%s)", row.pk)
    run_due()
    assert "cascade" not in purged()
    assert sql("SELECT count(*) FROM legacy_off") == [(1,)]
    sql("DELETE FROM legacy_off")


@pytest.mark.slow
def test_what_receivers_hear_is_what_django_tells_them() -> None:
    """Nobody hears of a row that the database takes along."""
    heard: list[Any] = []

    def listens(sender: Any, instance: Any, **kwargs: Any) -> None:
        heard.append((sender.__name__, instance.pk))

    one = top()
    own, other = mid(one, "cascade"), mid(one)
    low(other)
    signals = (models.signals.pre_delete, models.signals.post_delete)
    for signal in signals:
        for model in (Mid, Low):
            signal.connect(listens, model)
    try:
        run_due()
    finally:
        for signal in signals:
            for model in (Mid, Low):
                signal.disconnect(listens, model)
    assert left(Top, Mid, Low) == [0, 0, 0]
    assert heard == [("Mid", own.pk)] * 2
    assert purged()["cascade"] == {"cascades.low": 1, "cascades.mid": 2}
