"""Settings under which the package cannot work are refused by a check; writers may have them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.utils import timezone

from lifecycle.checks.session import WANTED, limits
from lifecycle.models import Event
from purge.runner import run_due
from tests.zoo.models import Coupon

pytestmark = pytest.mark.django_db(transaction=True)

OTHERS = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "array_nulls": "off",
    "standard_conforming_strings": "off",
}


def run(text: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text)


def refused() -> list[str]:
    found = run_checks(tags=["database"], databases=["default"])
    return [str(each.msg) for each in found if each.id == "lifecycle.E115"]


@pytest.mark.slow
def test_each_setting_is_refused() -> None:
    assert OTHERS.keys() == WANTED.keys()
    assert refused() == []
    for name, value in OTHERS.items():
        run(f"SET {name} = '{value}'")
        try:
            (message,) = refused()
            assert message.startswith(f"{name} of 'default' is")
        finally:
            run(f"RESET {name}")
    assert refused() == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("statement_timeout", "200ms", "statement_timeout of 'default' is 0.2 seconds"),
        ("idle_in_transaction_session_timeout", "9s", "is 9 seconds"),
        ("default_transaction_read_only", "on", "may only read"),
        ("statement_timeout", "10s", None),
        ("idle_in_transaction_session_timeout", "0", None),
    ],
)
def test_a_limit_that_is_short_is_told(name: str, value: str, says: str | None) -> None:
    run(f"SET {name} = '{value}'")
    try:
        found = [(each.id, str(each.msg)) for each in limits("default")]
    finally:
        run(f"RESET {name}")
    assert bool(found) == bool(says)
    for number, text in found:
        assert number == "lifecycle.W133"
        assert str(says) in text


def test_what_others_write_under_them_is_recorded_and_ends() -> None:
    """Text with backslashes and the word NULL, and identities with a NULL."""
    past = timezone.now() - timedelta(hours=5)
    for name, value in OTHERS.items():
        run(f"SET {name} = '{value}'")
    try:
        Coupon.objects.bulk_create(
            Coupon(code=code, expires_at=past) for code in ("NULL", "a\\b", "\\")
        )
        Coupon.objects.filter(code="\\").delete()
    finally:
        for name in OTHERS:
            run(f"RESET {name}")
    assert Event.objects.get(kind="deleted").subjects == ["\\"]
    run_due()
    assert not Coupon.objects.exists()
    (purged,) = Event.objects.filter(kind="purged")
    assert sorted(purged.subjects) == ["NULL", "a\\b"]
    assert not Event.objects.filter(kind="capture_failed").exists()
