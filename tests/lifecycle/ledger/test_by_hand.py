"""An end by hand under an `Update`, which acts after its grace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.utils import timezone

from lifecycle import expire_now, expire_rows
from lifecycle.exceptions import ConditionNotMet
from lifecycle.install import after_migrate as sync
from lifecycle.models import Event, RowException
from lifecycle.policy import registry
from lifecycle.promises import check as promises
from purge.runner import run_due
from tests.support import let_pass
from tests.zoo.models import Account

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
#: the grace of `accounts` is an hour: as a timedelta, and as an expression over the row
GRACES: dict[str, Any] = {
    "the same for all": HOUR,
    "of the row": ExpressionWrapper(F("seen_at") - F("seen_at") + HOUR, DurationField()),
}
WAYS = {
    "one row": lambda row: expire_now(row),
    "some rows": lambda row: expire_rows(Account.objects.filter(pk=row.pk)),
}


@contextmanager
def with_grace(grace: Any) -> Iterator[None]:
    """The site as it is where `accounts` is declared with another grace, and `migrate`."""
    own = registry.get_policy("accounts")
    registry._policies["accounts"] = replace(own, grace=grace)
    try:
        sync.store(registry._policies["accounts"], "default")
        yield
    finally:
        registry._policies["accounts"] = own
        sync.store(own, "default")


@pytest.mark.parametrize("grace", GRACES)
@pytest.mark.parametrize("way", WAYS)
def test_an_update_by_hand_has_its_grace(grace: str, way: str) -> None:
    row = Account.objects.create(email="a", seen_at=timezone.now())
    other = Account.objects.create(email="b", seen_at=timezone.now())
    with with_grace(GRACES[grace]):
        WAYS[way](row)
        for _ in range(2):
            run_due()
            assert Account.objects.filter(active=True).count() == 2, "its grace was skipped"
            let_pass(HOUR / 2 - timedelta(seconds=20))
        let_pass(timedelta(minutes=1))
        run_due()
        assert list(Account.objects.filter(active=True)) == [other]
        assert Event.objects.get(kind="expired_by_hand").detail == {}
        assert not any(promises.check().values())


def test_without_a_grace_it_is_updated_at_once() -> None:
    row = Account.objects.create(email="a", seen_at=timezone.now())
    with with_grace(timedelta(0)):
        expire_now(row)
        run_due()
        assert not Account.objects.filter(active=True).exists()


def test_an_unknown_grace_is_refused() -> None:
    row = Account.objects.create(email="a", seen_at=timezone.now())
    with with_grace(Value(None, DurationField())):
        with pytest.raises(ConditionNotMet, match="no grace"):
            expire_now(row)
        assert expire_rows(Account.objects.all()) == 0
    assert not RowException.objects.exists()
