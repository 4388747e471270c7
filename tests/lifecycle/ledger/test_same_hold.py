"""The same hold placed twice is one; another one is another."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from lifecycle import context, hold, hold_rows, holds, release
from lifecycle.ledger.policy_states import rebuild
from lifecycle.models import Event, RowException
from purge.runner import run_due
from tests.support import Background, let_pass, wait_until, waiting
from tests.zoo.factories import ExpiredTokenFactory, LiveTokenFactory
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
UNTIL = timezone.now() + timedelta(days=365)
SAID = {"actor": "jo", "reason": "dispute", "reference": "A-1"}

#: what is held, by words that name the actor, reason, reference and end
TARGETS: dict[str, Callable[..., Any]] = {
    "a row": lambda **said: hold(Token.objects.earliest("pk"), **said),
    "rows": lambda **said: hold_rows(Token.objects.all(), **said)[0],
    "a policy": lambda **said: hold("tokens", **said),
}
SAME: dict[str, dict[str, Any]] = {
    "all said": SAID,
    "only who": {"actor": "jo"},
    "only why": {"reason": "dispute"},
    "only a reference": {"reference": "A-1"},
    "until": SAID | {"until": UNTIL},
}
OTHER: dict[str, dict[str, Any]] = {
    "another person": SAID | {"actor": "al"},
    "another reason": SAID | {"reason": "audit"},
    "another reference": SAID | {"reference": "A-2"},
    "longer": SAID | {"until": UNTIL + timedelta(days=1)},
    "for ever": SAID | {"until": None},
}


def place(target: str, actor: str = "", **said: Any) -> Any:
    with context(actor=actor):
        return TARGETS[target](**said)


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_is_one_and_another_is_another(target: str) -> None:
    """One test for all words: each is placed on rows that nothing else holds."""
    LiveTokenFactory.create_batch(2)
    for name, said in SAME.items():
        first = place(target, **said)
        assert place(target, **said) == first, name
        assert len(holds()) == 1, name
        release(first[0] if isinstance(first, list) else first)
    first = place(target, **SAID, until=UNTIL)
    numbers = [place(target, **said) for said in OTHER.values()]
    assert len({str(number) for number in [first, *numbers]}) == 1 + len(OTHER)
    assert place(target, **SAID, until=UNTIL - timedelta(days=1)) == first, (
        "held for longer already"
    )
    assert len(holds()) == 1 + len(OTHER)
    before = set(RowException.objects.values_list("event_id", "kind", "key"))
    rebuild()
    assert set(RowException.objects.values_list("event_id", "kind", "key")) == before


def test_of_one_that_says_nothing_nobody_knows_whose_it_is() -> None:
    row = LiveTokenFactory()
    assert hold(row) != hold(row)


def test_one_that_is_over_is_placed_anew() -> None:
    row = LiveTokenFactory()
    first = hold(row, reason="a", until=timezone.now() + timedelta(hours=1))
    let_pass(timedelta(hours=2))
    second = hold(row, reason="a", until=timezone.now() + timedelta(hours=1))
    assert second != first
    release(second)
    assert hold(row, reason="a") != second


def test_rows_of_which_one_was_let_go_are_held_anew() -> None:
    first, _ = LiveTokenFactory.create_batch(2)
    (number,), _ = hold_rows(Token.objects.all(), reason="a")
    release(first)
    (again,), _ = hold_rows(Token.objects.all(), reason="a")
    assert again != number
    (fewer,), _ = hold_rows(Token.objects.exclude(pk=first.pk), reason="a")
    assert fewer not in (number, again)


@pytest.mark.parametrize("target", TARGETS)
def test_two_connections_at_once_place_one(target: str) -> None:
    """The second waits for the first's lock, and then sees its hold."""
    ExpiredTokenFactory()
    placed, go = threading.Event(), threading.Event()

    def first() -> Any:
        with transaction.atomic():
            number = place(target, **SAID)
            placed.set()
            assert go.wait(60)
        return number

    holding = Background(first)
    assert placed.wait(60)
    others = [Background(lambda: place(target, **SAID)) for _ in range(3)]
    wait_until(lambda: waiting() == 3, "the others to wait")
    go.set()
    number = holding.result()
    assert [other.result() for other in others] == [number] * 3
    assert len(holds()) == 1
    assert Event.objects.filter(kind="hold_placed").count() == 1
    run_due()
    assert Token.objects.count() == 1
    release(number[0] if isinstance(number, list) else number)
    run_due()
    assert Token.objects.count() == 0
