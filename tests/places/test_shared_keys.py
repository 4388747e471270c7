"""Tables whose key is not unique in the database, whatever the model says: nothing of them goes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError, connection
from django.utils import timezone

from lifecycle.models import Event, PolicyState
from purge.runner import run_due
from tests.zoo.models import Coupon, Line, Order, Token

pytestmark = pytest.mark.django_db(transaction=True)

#: how a key comes to be shared, and how that is taken back
FORMS = {
    "no constraint": (
        "ALTER TABLE zoo_token DROP CONSTRAINT zoo_token_pkey",
        "ALTER TABLE zoo_token ADD CONSTRAINT zoo_token_pkey PRIMARY KEY (id)",
    ),
    "unique with another column": (
        "ALTER TABLE zoo_token DROP CONSTRAINT zoo_token_pkey, ADD CONSTRAINT zoo_token_pkey"
        " PRIMARY KEY (id, label)",
        "ALTER TABLE zoo_token DROP CONSTRAINT zoo_token_pkey, ADD CONSTRAINT zoo_token_pkey"
        " PRIMARY KEY (id)",
    ),
    "unique in a part of the table": (
        "ALTER TABLE zoo_token DROP CONSTRAINT zoo_token_pkey;"
        "CREATE UNIQUE INDEX part ON zoo_token (id) WHERE label = ''",
        "DROP INDEX part; ALTER TABLE zoo_token ADD CONSTRAINT zoo_token_pkey PRIMARY KEY (id)",
    ),
    "inherited": (
        "CREATE TABLE zoo_token_heir () INHERITS (zoo_token)",
        "DROP TABLE zoo_token_heir",
    ),
}
ORDINARY = {
    "unique by a constraint": (
        "ALTER TABLE zoo_token DROP CONSTRAINT zoo_token_pkey, ADD CONSTRAINT sole UNIQUE (id)",
        "ALTER TABLE zoo_token DROP CONSTRAINT sole,"
        " ADD CONSTRAINT zoo_token_pkey PRIMARY KEY (id)",
    ),
    "unique with what it carries": (
        "ALTER TABLE zoo_token DROP CONSTRAINT zoo_token_pkey;"
        "CREATE UNIQUE INDEX sole ON zoo_token (id) INCLUDE (label)",
        "DROP INDEX sole; ALTER TABLE zoo_token ADD CONSTRAINT zoo_token_pkey PRIMARY KEY (id)",
    ),
}


@pytest.fixture
def form(request: pytest.FixtureRequest) -> Iterator[None]:
    """The table in a form, and as it was afterwards."""
    made, undone = request.param
    run(made)
    yield
    run(f"DELETE FROM zoo_token; {undone}")


def run(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def found_by_check() -> list[str | None]:
    return [m.id for m in run_checks(tags=["database"], databases=["default"])]


def write(key: int, label: str, minutes: int) -> None:
    end = timezone.now() + timedelta(minutes=minutes)
    Token(pk=key, label=label, expires_at=end).save(force_insert=True)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS, indirect=True)
@pytest.mark.usefixtures("form")
def test_nothing_goes(request: pytest.FixtureRequest) -> None:
    """One of two rows has five days to go; the site deletes another, so that the counts agree."""
    write(1, "a", -5)
    write(2, "a", -5)
    if "inherited" in request.node.name:
        run("INSERT INTO zoo_token_heir VALUES (1, 'b', true, now() + interval '5 days')")
    else:
        write(1, "b", 5 * 24 * 60)
    Token.objects.filter(pk=2).delete()
    assert "lifecycle.W114" in found_by_check()
    run_due()
    assert Token.objects.filter(pk=1).count() == 2
    assert not Event.objects.filter(kind="purged").exists()
    assert PolicyState.objects.get(name="tokens").state == "halted"
    assert Event.objects.get(kind="halted").cause == "shared_key"


@pytest.mark.parametrize("form", ORDINARY.values(), ids=ORDINARY, indirect=True)
@pytest.mark.usefixtures("form")
def test_rows_go_where_the_key_is_unique(request: pytest.FixtureRequest) -> None:
    write(1, "a", -5)
    write(2, "a", 60)
    assert "lifecycle.W114" not in found_by_check()
    run_due()
    assert list(Token.objects.values_list("pk", flat=True)) == [2]


def test_children_are_told_apart_by_their_parent() -> None:
    """Rows that go by the column that refers to their parent need no unique key."""
    run("ALTER TABLE zoo_line DROP CONSTRAINT zoo_line_pkey")
    try:
        past = timezone.now() - timedelta(minutes=5)
        gone = Order.objects.create(expires_at=past, grace=timedelta(0))
        stays = Order.objects.create()
        for order in (gone, stays):
            Line(pk=7, order=order).save(force_insert=True)
        run_due()
        assert list(Order.objects.all()) == [stays]
        assert list(Line.objects.values_list("order", flat=True)) == [stays.pk]
    finally:
        run("DELETE FROM zoo_line")
        run("ALTER TABLE zoo_line ADD CONSTRAINT zoo_line_pkey PRIMARY KEY (id)")


COLLATIONS = {
    "case, as the field says": ("und-u-ks-level2", True, False),
    "case, in the database only": ("und-u-ks-level2", False, True),
    "accents": ("und-u-ks-level1", True, True),
    "punctuation": ("und-u-ka-shifted-ks-level2", True, True),
}


@pytest.fixture
def without_like(transactional_db: None) -> Iterator[None]:
    """The table without the index for LIKE, which no such collation may have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'zoo_coupon' AND indexname LIKE '%like'"
        )
        ((name, made),) = cursor.fetchall()
    run(f"DROP INDEX {name}")
    yield
    run(made)


@pytest.mark.parametrize("case", COLLATIONS)
@pytest.mark.usefixtures("without_like")
def test_keys_that_a_collation_takes_for_one(case: str) -> None:
    """A hold on one spelling would not be found under another: nothing ends, and that is said."""
    locale, said, refused = COLLATIONS[case]
    make = "CREATE COLLATION lc_spelled (provider = icu, locale = '{}', deterministic = false)"
    try:
        run(make.format(locale))
    except DatabaseError:
        pytest.skip("the server has no ICU")
    key: Any = Coupon._meta.pk
    column = f"ALTER TABLE zoo_coupon ALTER {key.column} TYPE varchar(40) COLLATE"
    run(f"{column} lc_spelled")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(key, "db_collation", "lc_spelled" if said else None)
            Coupon.objects.create(pk="é", expires_at=timezone.now() - timedelta(minutes=5))
            assert ("lifecycle.W114" in found_by_check()) == refused
            run_due()
            assert Coupon.objects.exists() == refused
            assert (PolicyState.objects.get(name="coupons").state == "halted") == refused
    finally:
        Coupon.objects.all().delete()
        run(f'{column} "default"')
        run("DROP COLLATION lc_spelled")
