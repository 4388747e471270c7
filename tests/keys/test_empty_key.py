"""The row whose key is the empty text: a hold on it is one on it, and not on the whole table."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from lifecycle import hold, holds, live, release, restore
from lifecycle.insight.why import why
from lifecycle.ledger.holds import hold_rows
from lifecycle.ledger.row_names import named, parse, row_of
from lifecycle.models import RowException
from purge.runner import run_due
from tests.support import run_until_idle
from tests.zoo.models import Coupon

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def coupons() -> list[Coupon]:
    past = timezone.now() - timedelta(hours=5)
    return Coupon.objects.bulk_create(Coupon(code=code, expires_at=past) for code in ("", "a", "b"))


def left() -> list[str]:
    return sorted(Coupon.objects.values_list("code", flat=True))


def test_a_hold_on_it_holds_no_other(coupons: list[Coupon]) -> None:
    number = hold(coupons[0])
    assert left_live() == [""]
    (found,) = holds()
    assert (found.number, found.rows, found.key, found.policy) == (number, 1, "", "")
    assert str(RowException.objects.get()) == "hold zoo.coupon:"
    run_due()
    assert left() == [""]
    call_command("lifecycle", "release", "zoo.Coupon:")
    run_until_idle()
    assert left() == []


def left_live() -> list[str]:
    return sorted(live(Coupon).values_list("code", flat=True))


def test_a_hold_on_the_policy_holds_all(coupons: list[Coupon]) -> None:
    number = hold("coupons")
    assert left_live() == ["", "a", "b"]
    assert (holds()[0].rows, str(RowException.objects.get())) == (0, "hold coupons:*")
    run_due()
    assert left() == ["", "a", "b"]
    row = hold(coupons[0])
    release(coupons[0])
    assert [each.number for each in holds()] == [number] != [row]
    release("coupons")
    run_until_idle()
    assert left() == []


def test_it_has_a_name(coupons: list[Coupon]) -> None:
    assert named(coupons[0]) == "zoo.Coupon:"
    assert row_of("zoo.Coupon:") == coupons[0]
    restore(coupons[0])
    assert why(*parse("zoo.Coupon:")).verdicts[0].says == "is restored"
    assert "is restored" not in why(*parse("zoo.Coupon:a")).verdicts[0].says
    run_due()
    assert left() == [""]


def test_a_hold_without_rows_names_a_policy() -> None:
    """Whoever may call the function writes none that is neither."""
    text = "SELECT lifecycle.record_v1('hold_placed', %s, 'zoo.coupon', NULL, '{}')"
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, [""])
    assert hold_rows(Coupon.objects.none()) == ([], 0)
