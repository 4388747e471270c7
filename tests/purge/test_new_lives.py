"""A row that the site deletes, and another one under its key: what was said of one is not of both.

A matrix: each place where a key stands for a row across time, by kind of key, by whether the new
row is as the old one was, and by whether the triggers saw the old one go. A hold is meant for the
key.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.models import Model
from django.utils import timezone

import lifecycle
from lifecycle.install import after_migrate as sync
from lifecycle.ledger.loaded import loaded
from lifecycle.models import RowException
from lifecycle.policy import registry
from lifecycle.policy.policy import OPTIONS, Policy
from lifecycle.promises.check import check
from lifecycle.testing import capture_off, run_until
from purge.replay.model import Replay, Report
from purge.replay.plan import carry_out, plan
from tests.zoo.models import Coupon, Person, Ticket, Token, Upload

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = itertools.count(1_000)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEYS: dict[str, Callable[[], tuple[type[Model], Any]]] = {
    "uuid": lambda: (Ticket, uuid.uuid4()),
    "reused int": lambda: (Token, next(NUMBERS)),
    "natural text": lambda: (Coupon, f"c-{uuid.uuid4()}"),
}
POLICIES = ("tickets", "tokens", "coupons")


@pytest.fixture(autouse=True)
def _with_a_grace() -> Iterator[None]:
    """The policies of these tables, with a grace of an hour."""
    before = {name: registry.get_policy(name) for name in POLICIES}
    for name, policy in before.items():
        values = {option: getattr(policy, option) for option in OPTIONS} | {"grace": HOUR}
        registry._policies[name] = Policy(name, policy.model, **values)
        sync.store(registry._policies[name], "default")
    yield
    registry._policies.update(before)


@dataclass
class Pair:
    """One cell: a row, and the one that the site writes under its key later."""

    key: str
    same: bool
    seen: bool  # whether the triggers saw the old row go
    model: Any
    pk: Any
    old: datetime
    new: datetime

    def write(self) -> Any:
        return self.model.objects.create(pk=self.pk, expires_at=self.old)

    def replace(self) -> None:
        if self.seen:
            self.model.objects.filter(pk=self.pk).delete()
        else:
            with capture_off():
                self.model.objects.filter(pk=self.pk).delete()
        self.model.objects.create(pk=self.pk, expires_at=self.new)

    @property
    def name(self) -> tuple[str, str, str]:
        return self.key, "same" if self.same else "other", "seen" if self.seen else "unseen"

    @property
    def there(self) -> bool:
        return bool(self.model.objects.filter(pk=self.pk).exists())


def pairs(old: datetime, other: datetime, unseen: bool = True) -> list[Pair]:
    """A pair for each kind of key and content, each written."""
    made = [
        Pair(key, same, seen, *KEYS[key](), old, old if same else other)
        for key in KEYS for same in (True, False) for seen in ((True, False) if unseen else (True,))
    ]  # fmt: skip
    for pair in made:
        pair.write()
    return made


def replace(made: list[Pair]) -> None:
    for pair in made:
        pair.replace()


def there(made: list[Pair]) -> set[tuple[str, str, str]]:
    return {pair.name for pair in made if pair.there}


def names(made: list[Pair]) -> set[tuple[str, str, str]]:
    return {pair.name for pair in made}


@pytest.mark.slow
def test_an_expiry_by_hand_ends_no_later_life() -> None:
    now = timezone.now()
    made = pairs(now + 3 * DAY, now + 5 * DAY)
    for pair in made:
        policy = f"{pair.model._meta.model_name}s"
        lifecycle.expire_now(pair.model.objects.get(pk=pair.pk), policy=policy)
    replace(made)
    run_until(now + DAY)
    assert there(made) == names(made)
    assert not RowException.objects.exists()
    run_until(now + 3 * DAY + 2 * HOUR)
    assert there(made) == {name for name in names(made) if "other" in name}


@pytest.mark.slow
def test_a_restore_keeps_no_later_life() -> None:
    now = timezone.now()
    made = pairs(now - DAY, now - 2 * DAY)
    for pair in made:
        lifecycle.restore(pair.model.objects.get(pk=pair.pk))
    replace(made)
    assert not RowException.objects.exists()
    run_until(now + HOUR / 2)
    assert there(made) == names(made), "its own grace is not over"
    run_until(now + 2 * HOUR)
    assert there(made) == set()


@pytest.mark.slow
def test_a_hold_by_key_protects_any_life() -> None:
    now = timezone.now()
    made = pairs(now - DAY, now - 2 * DAY)
    held = [lifecycle.hold(pair.model.objects.get(pk=pair.pk)) for pair in made]
    replace(made)
    run_until(now + 3 * DAY)
    assert there(made) == names(made)
    for number in held:
        lifecycle.release(number)
    run_until(now + 6 * DAY)
    assert there(made) == set()


@pytest.mark.slow
def test_a_tombstone_is_of_the_life_that_had_it() -> None:
    now = timezone.now()
    made = pairs(now - DAY, now - 2 * DAY)
    run_until(now + HOUR * 3 / 4)
    replace(made)
    run_until(now + HOUR * 3 / 2)
    assert there(made) == names(made), "the grace of the new life is not over"
    run_until(now + 2 * HOUR)
    assert there(made) == set()


@pytest.mark.slow
def test_an_entry_of_the_agenda_is_of_the_life_that_is_due() -> None:
    now = timezone.now()
    made = pairs(now + HOUR, now + 3 * DAY)
    replace(made)
    run_until(now + HOUR * 3 / 2)
    assert there(made) == names(made)
    run_until(now + 3 * HOUR)
    assert there(made) == {name for name in names(made) if "other" in name}
    run_until(now + 4 * DAY)
    assert there(made) == set()


def settle() -> Report:
    how = Replay(actor="ann")
    plan(how)
    return carry_out(how)


@pytest.mark.parametrize("purged", [False, True], ids=["deleted", "purged"])
def test_a_replay_ends_no_later_life(purged: bool) -> None:
    now = timezone.now()
    made = pairs(now + HOUR, now + 3 * DAY, unseen=False)
    if purged:
        run_until(now + 3 * HOUR)
        assert there(made) == set()
        made = [pair for pair in made if not pair.same]  # one that had expired may go again
    replace(made)
    report = settle()
    assert (report.total("ended"), report.total("unsure")) == (0, len(made))
    assert there(made) == names(made)


def test_a_replay_ends_no_later_life_without_an_end() -> None:
    """Its INSERT leaves no event: only its columns tell it from the row that ended."""
    now = timezone.now()
    made = [pair for pair in pairs(now + HOUR, now, unseen=False) if not pair.same]
    for pair in made:
        pair.model.objects.filter(pk=pair.pk).delete()
        pair.model.objects.create(pk=pair.pk)
    report = settle()
    assert (report.total("ended"), report.total("unsure")) == (0, 3)
    assert there(made) == names(made)


def test_a_replay_ends_no_later_life_that_is_as_the_first_and_has_no_end() -> None:
    """Nothing tells it from the row that ended: it is left, and no promise is broken."""
    made = [KEYS[key]() for key in ("uuid", "natural text")]
    for model, pk in made:
        model.objects.create(pk=pk)
        model.objects.filter(pk=pk).delete()
        model.objects.create(pk=pk)
    report = settle()
    assert (report.total("ended"), report.total("unsure")) == (0, 2)
    assert all("has no end" in row.why for row in report.rows)
    assert all(model.objects.filter(pk=pk).exists() for model, pk in made)
    assert check(only=["promise_12_ended_stays_ended"])["promise_12_ended_stays_ended"] == []


@pytest.mark.slow
@pytest.mark.plants(2, 11)
def test_rows_that_are_loaded_do_not_vouch_for_a_later_ending() -> None:
    """Back on purpose, then deleted by the site, then brought back by a backup."""
    now = timezone.now()
    made = pairs(now + HOUR, now + HOUR, unseen=False)
    for pair in made:
        pair.model.objects.filter(pk=pair.pk).delete()
        with capture_off():
            loaded(pair.write())
        pair.model.objects.filter(pk=pair.pk).delete()
        with capture_off():
            pair.write()
    report = settle()
    assert (report.total("ended"), report.total("newer")) == (4, 0)
    assert there(made) == {name for name in names(made) if "reused int" in name}, "no identity"
    assert report.total("unsure") == 2


@pytest.mark.slow
def test_an_end_on_request_is_of_the_person_who_asked() -> None:
    now = timezone.now()
    person = Person.objects.create(name="one")
    lifecycle.hold(person)
    lifecycle.expire_now(person)
    key = person.pk
    person.delete()
    Person.objects.create(pk=key, name="another")
    lifecycle.release(Person.objects.get())
    run_until(now + 3 * HOUR)
    assert Person.objects.get().name == "another"


@pytest.mark.slow
def test_the_name_of_a_file_is_not_the_file() -> None:
    now = timezone.now()
    first = Upload.objects.create(file=ContentFile(b"one", name="one.txt"))
    name, storage = first.file.name, first.file.storage
    key = first.pk
    first.delete()
    Upload.objects.create(pk=key, file=name)
    run_until(now + DAY)
    assert storage.exists(name)
    Upload.objects.all().delete()
    run_until(now + 2 * DAY)
    assert not storage.exists(name)
