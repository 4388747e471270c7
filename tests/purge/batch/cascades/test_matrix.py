"""Every `on_delete` below every other: the worker leaves what Django's `delete()` leaves.

Both end equal trees; what went, what stayed with which links and which roots were refused is
compared tree by tree. Once all trees are taken here; where somebody listens or rows are held, some
of them, in which every way is above and below others; and all in tests/soak. On a Django older than
6.1 the `DB_*` are left out: it has none. The same constraints made by SQL, of which no model knows,
are in the tree on every Django.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any, NamedTuple

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone

from lifecycle import hold
from lifecycle.models import Event
from purge.batch.cascade import sets, ties
from tests.purge.batch.cascades.models import Low, Mid, Top
from tests.purge.batch.cascades.test_on_delete import listens
from tests.purge.batch.cascades.ways import SPARE, WAYS
from tests.support import run_until_idle, sampled

pytestmark = pytest.mark.django_db(transaction=True)

TREES = {100 + number: ways for number, ways in enumerate(product(WAYS, WAYS))}
TABLES = (Top, Mid, Low)
EMPTY = {f"{way}_id": None for way in WAYS}


#: every way over some, and below some
SOME = {n: ways for n, ways in TREES.items() if sum(map(WAYS.index, ways)) % 4 == 0}


class State(NamedTuple):
    """The rows that are left of each tree, with their links, and the files that no row has."""

    trees: dict[int, dict[str, Any]]
    files: set[str]


def grow(ended: bool = True) -> State:
    """A tree for each pair of ways, all under keys of their own."""
    ends = timezone.now() - timedelta(minutes=5) if ended else None
    Top.objects.bulk_create([Top(pk=SPARE), *(Top(pk=number, expires_at=ends) for number in TREES)])
    mids = [Mid(pk=SPARE, **EMPTY)]
    lows = []
    for number, (upper, lower) in TREES.items():
        own = {f"{upper}_id": number}
        mids.append(Mid(pk=number, file=f"mid-{number}", **EMPTY | own))
        lows.append(Low(pk=number, file=f"low-{number}", **EMPTY | {f"{lower}_id": number}))
    Mid.objects.bulk_create(mids)
    Low.objects.bulk_create(lows)
    return now()


def now() -> State:
    """What is in the tables."""
    trees: dict[int, dict[str, Any]] = {number: {} for number in TREES}
    for model in TABLES:
        for row in model._base_manager.exclude(pk=SPARE).values(*links(model)):
            trees[row["pk"]][model.__name__] = row
    told = Event.objects.filter(kind="media_orphaned", model__startswith="cascades.")
    files = {name for each in told for name in each.detail["names"]}
    return State(trees, files)


def links(model: Any) -> list[str]:
    return ["pk", *([] if model is Top else [f"{way}_id" for way in WAYS])]


@pytest.fixture
def trees(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of them, but for once."""
    if request.node.callspec.params != {"receivers": "none"}:
        monkeypatch.setattr(f"{__name__}.TREES", SOME)


@pytest.fixture
def djangos(trees: None) -> State:
    """What Django's own `delete()` leaves, taken back again."""
    with transaction.atomic():
        grow(ended=False)
        for number in TREES:
            try:
                with transaction.atomic():
                    Top.objects.get(pk=number).delete()
                    set_constraints("IMMEDIATE")
            except IntegrityError:
                pass
            set_constraints("DEFERRED")
        left = now()
        transaction.set_rollback(True)
    return left


def set_constraints(when: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS ALL {when}")


RECEIVERS: dict[str, tuple[Any, ...]] = {
    "none": (),
    "none, by Django's collector alone": (),
    "post_delete of what goes along": ((post_delete, Mid),),
    "pre_delete of what goes along": ((pre_delete, Mid),),
    "pre_delete of the last": ((pre_delete, Low),),
    "post_delete of the first and the last": ((post_delete, Top), (post_delete, Low)),
}


@pytest.fixture(params=sampled(RECEIVERS, every=3))
def receivers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody listens, or somebody to rows that may go; or as if `on_delete` were a function."""
    if request.param.endswith("alone"):
        for module in (sets, ties):
            monkeypatch.setattr(module, "tree", lambda model: None)
    for signal, model in RECEIVERS[request.param]:
        signal.connect(listens, model)
    yield
    for signal, model in RECEIVERS[request.param]:
        signal.disconnect(listens, model)


def differences(ours: State, theirs: State) -> dict[tuple[str, str], Any]:
    """The trees that are not the same, by their ways."""
    return {
        ways: (ours.trees[number], theirs.trees[number])
        for number, ways in TREES.items()
        if ours.trees[number] != theirs.trees[number]
    }


@pytest.mark.usefixtures("receivers")
def test_what_goes_stays_and_is_refused_is_what_django_says(djangos: State) -> None:
    before = grow()
    run_until_idle()
    left = now()
    assert not differences(left, djangos)
    assert left.files == djangos.files
    assert 0 < len([tree for tree in left.trees.values() if not tree]) < len(TREES)
    assert Top.objects.filter(pk=SPARE).exists()
    assert Mid.objects.filter(pk=SPARE).exists()
    told: Counter[str] = Counter()
    for event in Event.objects.filter(kind="purged", model="cascades.top"):
        told.update(event.detail.get("cascade", {}))
    for model in (Mid, Low):
        went = [n for n in TREES if model.__name__ not in left.trees[n]]
        assert told[model._meta.label_lower] == len(went)
    assert len(before.trees) == len(TREES)


@pytest.mark.usefixtures("receivers")
@pytest.mark.parametrize("model", [Mid, Low])
def test_nothing_held_goes(djangos: State, model: Any) -> None:
    before = grow()
    for row in model.objects.exclude(pk=SPARE):
        hold(row)
    run_until_idle()
    left, name = now(), model.__name__
    assert model.objects.count() == len(TREES) + (model is Mid)
    would = {number for number in TREES if name not in djangos.trees[number]}
    assert would
    for number, ways in TREES.items():
        assert left.trees[number] == (before if number in would else djangos).trees[number], ways
    blocked: dict[int, list[str]] = {
        int(event.subjects[0]): event.detail.get("by")
        for event in Event.objects.filter(kind="blocked", detail__error="HeldBelow")
    }
    named = {number: [f"{model._meta.label}:{number}"] for number in would}
    assert named.items() <= blocked.items()
