"""How much goes at once, and what others do meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models.signals import post_delete
from django.utils import timezone

import purge
from lifecycle import Archive, hold, release
from lifecycle.compiler.policy_sql import compiled
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from purge.batch import act
from purge.batch.evaluate import Verdict
from purge.batch.run import begin
from purge.batch.subjects import Subjects
from purge.exceptions import Halt
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.purge.batch.cascades.models import Clerk, Invoice, Price, Product, Remark, Shop
from tests.purge.batch.cascades.test_on_delete import blocked, left, listens, purged, shop
from tests.support import Background, events_of, let_pass, run_until_idle, session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve rows in a batch."""
    monkeypatch.setattr(get_policy("shops"), "batch_rows", 12)


def with_products(count: int, prices: int = 2) -> Shop:
    """A shop past its end, each of its products with prices."""
    one = shop()
    for product in Product.objects.bulk_create(Product(shop=one) for _ in range(count)):
        Price.objects.bulk_create(Price(product=product) for _ in range(prices))
    return one


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seen", [False, True])
def test_a_batch_counts_what_goes_along(seen: bool) -> None:
    for _ in range(6):
        with_products(1)  # four rows each
    with_products(20)  # larger than any batch: alone
    with_products(1)
    if seen:
        post_delete.connect(listens, Product)
    try:
        run_due()
    finally:
        post_delete.disconnect(listens, Product)
    assert left(Shop, Product, Price) == [0, 0, 0]
    told = Event.objects.filter(kind="purged", model="cascades.shop").order_by("id")
    sizes = [each.count + sum(each.detail["cascade"].values()) for each in told]
    assert sum(sizes) == 7 * 4 + 61
    assert [size for size in sizes if size > 12] == [61]
    assert max(each.count for each in told) > 1


@pytest.mark.usefixtures("small")
def test_an_override_is_bounded_too() -> None:
    Shop.objects.bulk_create(Shop(expires_at=timezone.now() + timedelta(hours=1)) for _ in range(9))
    for one in Shop.objects.all():
        Product.objects.bulk_create(Product(shop=one) for _ in range(3))
    purge.run("shops", within=timedelta(hours=2), actor="ops: jo")
    assert left(Shop, Product) == [0, 0]
    told = Event.objects.filter(kind="purged", model="cascades.shop")
    assert sum(each.count for each in told) == 9
    assert all(each.count <= 3 for each in told)


@pytest.mark.usefixtures("small")
def test_a_dry_run_counts_all_of_it_and_takes_nothing() -> None:
    for _ in range(6):
        with_products(3)
    done = run_policy(get_policy("shops"), PassOptions(dry=True))
    assert (done.purged, left(Shop, Product, Price)) == (6, [6, 18, 36])


def test_rows_of_the_next_batches_are_listed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of the rest again with each batch."""
    monkeypatch.setattr(get_policy("shops"), "batch_rows", 10)
    Shop.objects.bulk_create(
        Shop(expires_at=timezone.now() - timedelta(hours=1)) for _ in range(100)
    )
    run_due()
    assert not Shop.objects.exists()
    assert Event.objects.filter(detail__relisted="limit").count() == 9


@pytest.mark.slow
@pytest.mark.parametrize("model", [Price, Clerk])
def test_a_row_that_a_host_has_locked_is_not_waited_for(model: Any) -> None:
    """Neither one that is locked before it goes, nor one that its DELETE would lock."""
    kept, free = with_products(1), with_products(1)
    for one in (kept, free):
        Clerk.objects.create(shop=one, name="Ada")
    row = model.objects.order_by("pk")[0]
    with session() as host:
        host.execute(f"SELECT FROM {model._meta.db_table} WHERE id = %s FOR UPDATE", [row.pk])
        Background(run_due).result()
        host.execute("SET LOCAL lock_timeout = '2s'")
        host.execute("SELECT FROM cascades_shop WHERE id = %s FOR UPDATE", [kept.pk])  # nor we
    assert list(Shop.objects.all()) == [kept]
    assert "blocked" not in events_of(kept)
    run_until_idle()
    assert not Shop.objects.exists()


@pytest.mark.slow
def test_a_hold_placed_while_rows_are_found_counts() -> None:
    """At rows of a model without policy nobody looks before they go, but after."""
    one = shop()
    price = Price.objects.create(product=Product.objects.create(shop=one))
    holds = [lambda: hold(price)]

    def wrap(execute: Any, sql: str, *rest: Any) -> Any:
        if holds and sql.startswith('DELETE FROM "cascades_price"'):
            Background(holds.pop()).result()
        return execute(sql, *rest)

    with connection.execute_wrapper(wrap):
        run_due()
    assert not holds
    assert left(Shop, Product, Price) == [1, 1, 1]
    run_until_idle()
    assert blocked()["by"] == [f"cascades.Price:{price.pk}"]
    release(price)
    let_pass(timedelta(minutes=5))
    run_until_idle()
    assert left(Shop, Product, Price) == [0, 0, 0]


def test_a_child_that_comes_while_its_parent_goes_is_refused() -> None:
    """The parent is locked before anybody asks what refers to it."""
    one = shop()
    Price.objects.create(product=Product.objects.create(shop=one))
    late: list[Any] = []

    def wrap(execute: Any, sql: str, *rest: Any) -> Any:
        if not late and sql.startswith('DELETE FROM "cascades_price"'):
            late.append(Background(lambda: Clerk.objects.create(shop=one, name="late")))
        return execute(sql, *rest)

    with connection.execute_wrapper(wrap):
        run_due()
    with pytest.raises(Exception, match="foreign key"):
        late[0].result()
    assert left(Shop, Product, Price, Clerk) == [0, 0, 0, 0]


@pytest.mark.parametrize("open_", [True, False])
def test_a_row_that_is_to_be_archived_keeps_its_parent(
    monkeypatch: pytest.MonkeyPatch, open_: bool
) -> None:
    monkeypatch.setattr(get_policy("invoices"), "disposition", Archive(prefix="invoices/"))
    kept, _ = shop(), shop()
    invoice = Invoice.objects.create(shop=kept, open=open_)
    run_due()
    if open_:
        assert list(Shop.objects.all()) == [kept]
        assert blocked()["by"] == [f"cascades.Invoice:{invoice.pk}"]
        assert blocked()["error"] == "ArchivedBelow"
        Invoice.objects.update(open=False)
        let_pass(timedelta(minutes=5))
        run_until_idle()
    assert left(Shop, Invoice) == [0, 0]


def test_nothing_goes_that_is_in_no_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has called for its end: the last look before the DELETE."""
    policy = get_policy("shops")
    monkeypatch.setattr(policy, "disposition", Archive(prefix="shops/"))
    shop()
    with transaction.atomic():
        batch = begin(policy, "default", None, dry=False)
        assert batch
        verdict = Verdict("purge", None, Subjects(compiled(policy).key, 1, keys="{1}"), None, None)
        with pytest.raises(Halt, match="no verified archive"):
            act.ACTS["purge"](batch, verdict)
    assert left(Shop) == [1]


def test_a_large_family_is_never_in_memory() -> None:
    """No key of a row that nothing refers to comes to the client, nor any row."""
    one = shop()
    type_ = ContentType.objects.get_for_model(Shop)
    Remark.objects.bulk_create(Remark(content_type=type_, object_id=one.pk) for _ in range(3_000))
    fetched: list[int] = []

    def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        cursor = context["cursor"]
        fetched.append(cursor.rowcount if sql.lstrip().startswith(("SELECT", "WITH")) else 0)
        assert len(str(params)) < 3_000
        return result

    with connection.execute_wrapper(wrap):
        run_due()
    assert left(Shop, Remark) == [0, 0]
    assert max(fetched) < 100
    assert purged().detail["cascade"] == {"cascades.remark": 3_000}


def test_a_hold_counts_whatever_isolation_the_site_has_chosen() -> None:
    """With one snapshot for a whole transaction the later look would not be later."""
    one = shop()
    holds = [lambda: hold(one)]

    def wrap(execute: Any, sql: str, *rest: Any) -> Any:
        if holds and "FOR UPDATE" in sql and "cascades_shop" in sql:
            Background(holds.pop()).result()
        return execute(sql, *rest)

    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_isolation = 'repeatable read'")
        try:
            with connection.execute_wrapper(wrap):
                run_due()
        finally:
            cursor.execute("RESET default_transaction_isolation")
    assert not holds
    assert left(Shop) == [1]
