"""Keys that are objects in Python, and keys of several columns: of rows that end or go along."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone

from lifecycle import hold, release
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import named, row_of
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from purge.batch.cascade import sets, ties
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.named import Named
from tests.purge.batch.cascades.models import Crate, Item, Parcel, Shelf, Slip
from tests.purge.batch.cascades.test_on_delete import blocked, left, listens
from tests.support import let_pass, run_until_idle, sampled

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = (Crate, Parcel, Slip, Shelf, Item)
HEARD = {
    "": (),
    "by Django's collector alone": (),
    "post_delete of a shelf": ((post_delete, Shelf),),
    "pre_delete of a shelf": ((pre_delete, Shelf),),
    "pre_delete of a parcel": ((pre_delete, Parcel),),
    "post_delete of an item": ((post_delete, Item),),
    "pre_delete of a crate": ((pre_delete, Crate),),
}


@pytest.fixture(params=sampled(HEARD, every=3))
def receivers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody listens, or somebody to rows that go."""
    if request.param.endswith("alone"):
        for module in (sets, ties):
            monkeypatch.setattr(module, "tree", lambda model: None)
    for signal, model in HEARD[request.param]:
        signal.connect(listens, model)
    yield
    for signal, model in HEARD[request.param]:
        signal.disconnect(listens, model)


def crate(mark: str, ended: bool = True, above: Crate | None = None) -> Crate:
    """A crate with two of everything below it."""
    ends = timezone.now() - timedelta(minutes=5) if ended else None
    row = Crate.objects.create(mark=Named(mark), expires_at=ends, above=above)
    for number in (1, 2):
        parcel = Parcel.objects.create(mark=Named(f"{mark}{number}"), crate=row)
        Slip.objects.create(parcel=parcel)
        shelf = Shelf.objects.create(crate=row, number=number, code=f"{mark}{number}")
        Item.objects.create(shelf=shelf)
    return row


@pytest.mark.usefixtures("receivers")
def test_all_of_it_goes_and_is_counted() -> None:
    kept = crate("kept", ended=False)
    for mark in ("a", "b"):
        crate(f"{mark} below", ended=False, above=crate(mark))
    run_due()
    assert list(Crate.objects.all()) == [kept]
    assert left(*MODELS) == [1, 2, 2, 2, 2]
    assert {shelf.crate_id for shelf in Shelf.objects.all()} == {Named("kept")}
    (own, along) = Event.objects.filter(kind="purged", model="cascades.crate").order_by("cause")
    assert (own.subjects, along.subjects) == (["a", "b"], ["a below", "b below"])
    assert own.detail["cascade"] == {
        "cascades.crate": 2,
        "cascades.item": 8,
        "cascades.parcel": 8,
        "cascades.shelf": 8,
        "cascades.slip": 8,
    }


@pytest.mark.usefixtures("receivers")
@pytest.mark.parametrize("model", [Parcel, Slip, Item])
def test_a_held_row_below_blocks(model: Any) -> None:
    kept, _ = crate("kept"), crate("free")
    row = model.objects.order_by("pk").last() if model is Parcel else model.objects.first()
    hold(row)
    run_due()
    assert list(Crate.objects.all()) == [kept]
    assert left(*MODELS) == [1, 2, 2, 2, 2]
    assert blocked()["by"] == [named(row)]
    release(row)
    let_pass(timedelta(minutes=5))
    run_until_idle()
    assert left(*MODELS) == [0, 0, 0, 0, 0]


@pytest.mark.usefixtures("receivers")
def test_a_dry_run_takes_nothing() -> None:
    crate("a")
    assert run_policy(get_policy("crates"), PassOptions(dry=True)).purged == 1
    assert left(*MODELS) == [1, 2, 2, 2, 2]


def test_a_row_with_an_object_for_a_key_is_named_as_the_database_has_it() -> None:
    row = crate("a b")
    assert named(row) == "cascades.Crate:a b"
    assert row_of(named(row)) == row
    hold(row)
    run_due()
    assert left(*MODELS) == [1, 2, 2, 2, 2]
    assert release(row) == 1
    run_until_idle()
    assert left(*MODELS) == [0, 0, 0, 0, 0]


def test_a_row_with_a_key_of_several_columns_cannot_be_held() -> None:
    crate("a")
    with pytest.raises(LifecycleError, match="several columns"):
        hold(Shelf.objects.all()[0])
