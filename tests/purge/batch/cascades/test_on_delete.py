"""Every form of `on_delete`: what goes, what stays, what stands in the way, and what is told."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone

from lifecycle import hold
from lifecycle.db.rows import every_row
from lifecycle.models import Event
from purge.runner import run_due
from tests.purge.batch.cascades.models import (
    Area,
    Book,
    Both,
    Clerk,
    Husband,
    Label,
    Lease,
    Left,
    Price,
    Product,
    Remark,
    Review,
    Right,
    Shop,
    Trade,
    Visit,
    Wife,
)

pytestmark = pytest.mark.django_db(transaction=True)


def shop(**values: Any) -> Shop:
    """A shop past its end."""
    return Shop.objects.create(expires_at=timezone.now() - timedelta(minutes=5), **values)


def left(*models: type[Model]) -> list[int]:
    return [every_row(model, "default").count() for model in models]


def purged() -> Event:
    """The event of the shops."""
    return Event.objects.get(kind="purged", model="cascades.shop", cause="")


def blocked() -> dict[str, Any]:
    return dict(Event.objects.get(kind="blocked").detail)


def listens(**kwargs: Any) -> None:
    """Only has to be there: Django's collector then reads every row."""


@pytest.fixture(params=["sets", "seen after", "seen before"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """The same by sets, by sets and Django's collector, by Django's collector alone."""
    signal = {"seen after": post_delete, "seen before": pre_delete}.get(request.param)
    if signal:
        signal.connect(listens, Product)
    yield
    if signal:
        signal.disconnect(listens, Product)


@pytest.mark.usefixtures("way")
def test_three_levels_go_and_are_counted() -> None:
    others = [shop(code="kept"), Shop.objects.create()]
    Shop.objects.filter(pk=others[0].pk).update(expires_at=None)
    for one in [*others, shop(code="a"), shop(code="b")]:
        product = Product.objects.create(shop=one)
        Price.objects.create(product=product, shop=one if one.code else None)
        Price.objects.create(product=product)
        product.labels.add(Label.objects.create(), Label.objects.create())
        product.remarks.create()
        one.remarks.create()
    Price.objects.create(product=product, shop=Shop.objects.get(code="kept"))  # goes by one of two
    run_due()
    assert set(Shop.objects.all()) == set(others)
    assert left(Product, Price, Product.labels.through, Label, Remark) == [2, 4, 4, 8, 4]
    assert purged().detail["cascade"] == {
        "cascades.price": 5,
        "cascades.product": 2,
        "cascades.product_labels": 4,
        "cascades.remark": 4,
    }
    along = Event.objects.get(kind="purged", cause="cascade")
    assert (along.model, along.policy, along.count) == ("cascades.product", "shops", 2)


@pytest.mark.usefixtures("way")
def test_a_protected_row_two_levels_down_is_named_and_nothing_of_it_goes() -> None:
    kept, free = shop(), shop()
    product = Product.objects.create(shop=kept)
    Price.objects.create(product=product)
    Product.objects.create(shop=free)
    lease = Lease.objects.create(product=product)
    run_due()
    assert list(Shop.objects.all()) == [kept]
    assert left(Product, Price) == [1, 1]
    assert blocked()["by"] == [f"cascades.Lease:{lease.pk}"]
    assert blocked()["error"] == "ProtectedError"


@pytest.mark.usefixtures("way")
def test_what_restricts_goes_along_or_blocks() -> None:
    kept, free = shop(), shop()
    elsewhere = Shop.objects.create()
    Review.objects.create(product=Product.objects.create(shop=free), shop=free)
    review = Review.objects.create(product=Product.objects.create(shop=kept), shop=elsewhere)
    run_due()
    assert set(Shop.objects.all()) == {kept, elsewhere}
    assert list(Review.objects.all()) == [review]
    assert blocked()["by"] == [f"cascades.Review:{review.pk}"]
    assert blocked()["error"] == "RestrictedError"


@pytest.mark.usefixtures("way")
def test_links_are_changed_as_declared() -> None:
    one = shop()
    product = Product.objects.create(shop=one)
    clerk = Clerk.objects.create(shop=one, name="Ada")
    visit = Visit.objects.create(shop=one, product=product, clerk=clerk)
    run_due()
    visit.refresh_from_db()
    assert (visit.shop_id, visit.product_id, visit.clerk.name) == (None, None, "nobody")
    assert not Clerk.objects.filter(name="Ada").exists()
    assert purged().detail["cascade"] == {"cascades.clerk": 1, "cascades.product": 1}


@pytest.mark.usefixtures("way")
def test_a_tree_and_a_ring_go_whole() -> None:
    one, area = shop(), None
    for _ in range(30):
        area = Area.objects.create(shop=None if area else one, above=area)
    ring = Area.objects.create(above=Area.objects.create(shop=one))
    Area.objects.filter(pk=ring.above_id).update(above=ring)
    tree = Area.objects.create(above=Area.objects.create())
    run_due()
    assert set(Area.objects.all()) == {tree, tree.above}
    assert purged().detail["cascade"] == {"cascades.area": 32}


@pytest.mark.usefixtures("way")
def test_a_row_in_two_tables_goes_from_both() -> None:
    one = shop()
    book = Book.objects.create(shop=one)
    Price.objects.create(product=book)
    book.remarks.create()
    run_due()
    assert left(Shop, Product, Book, Price, Remark) == [0, 0, 0, 0, 0]
    assert purged().detail["cascade"] == {
        "cascades.book": 1,
        "cascades.price": 1,
        "cascades.product": 1,
        "cascades.remark": 1,
    }


@pytest.mark.parametrize("seen", [False, True])
def test_parents_with_keys_of_their_own_are_not_mixed_up(seen: bool) -> None:
    """The second parent's key is not the row's: the row of another must stay."""
    others = Right.objects.bulk_create(Right() for _ in range(5))
    both = Both.objects.create(expires_at=timezone.now() - timedelta(minutes=5))
    assert both.left_id != both.right_id
    if seen:
        post_delete.connect(listens, Both)
    try:
        run_due()
    finally:
        post_delete.disconnect(listens, Both)
    assert left(Both, Left) == [0, 0]
    assert set(Right.objects.all()) == set(others)
    assert "cascade" not in Event.objects.get(kind="purged", model="cascades.both").detail


def test_two_tables_in_a_ring() -> None:
    husband = Husband.objects.create()
    wife = Wife.objects.create(husband=husband)
    second = Husband.objects.create(wife=wife)
    Husband.objects.filter(pk=husband.pk).update(expires_at=timezone.now() - timedelta(minutes=5))
    run_due()
    assert left(Husband, Wife) == [0, 0]
    told = Event.objects.filter(kind="purged", model="cascades.husband").order_by("id")
    assert [each.subjects for each in told] == [[str(second.pk)], [str(husband.pk)]]
    assert told[0].cause == "cascade"
    assert told[1].detail["cascade"] == {"cascades.husband": 1, "cascades.wife": 1}


def test_do_nothing_leaves_it_to_the_database() -> None:
    kept = shop()
    shop()
    Trade.objects.create(shop=kept)
    run_due()
    assert list(Shop.objects.all()) == [kept]
    assert blocked()["table"] == "cascades_trade"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("below", [Price, Product])
def test_a_held_descendant_blocks_and_is_named(below: type[Model]) -> None:
    kept, free = shop(), shop()
    for one in (kept, free):
        Price.objects.create(product=Product.objects.create(shop=one))
    row = below._base_manager.order_by("pk")[0]
    hold(row)
    run_due()
    assert list(Shop.objects.all()) == [kept]
    assert left(Product, Price) == [1, 1]
    assert blocked()["by"] == [f"{row._meta.label}:{row.pk}"]


def test_another_rows_children_are_counted_once_by_two_ways() -> None:
    one = shop(code="twice")
    Price.objects.create(product=Product.objects.create(shop=one), shop=one)
    run_due()
    assert purged().detail["cascade"] == {"cascades.price": 1, "cascades.product": 1}
