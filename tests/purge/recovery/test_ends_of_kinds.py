"""Rows whose end was changed after the backup: every kind of policy, and what lies beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import fetch
from lifecycle.models import AgendaEntry, Event, RowException
from lifecycle.policy.registry import get_policy
from purge.proof.work import publish_now
from purge.recovery import ends
from tests.lifecycle.management.test_commands import manage
from tests.purge.proof.support import USING
from tests.purge.recovery.restores import Backups
from tests.purge.recovery.test_ends import DAY, FUTURE, NOW
from tests.purge.recovery.test_from_proof import RECOVER, whole
from tests.support import run_until_idle
from tests.zoo.models import Account, Coupon, Legacy, Preference, Token

pytestmark = pytest.mark.django_db(transaction=True)


def later(model: Any, column: str, value: datetime = FUTURE + DAY) -> Callable[[], None]:
    """All rows of a model end later, as their site writes it."""

    def save() -> None:
        for row in model.objects.all():
            setattr(row, column, value)
            row.save()

    return save


@dataclass(frozen=True)
class Kind:
    """A kind of policy, or of writing: rows that are due, and how they are made to end later."""

    model: Any
    make: Callable[[], Any]
    change: Callable[[], Any]
    policy: str


def tokens(ends: Callable[[int], datetime], count: int = 3) -> Callable[[], Any]:
    return lambda: Token.objects.bulk_create(Token(expires_at=ends(n)) for n in range(count))


def test_what_is_written_while_it_asks_counts(
    site: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the ledger and locking the rows."""
    for code in ("a", "b"):
        Coupon.objects.create(code=code, expires_at=FUTURE)
    publish_now(USING)
    restore = site.template()
    Coupon.objects.update(expires_at=FUTURE + DAY)
    publish_now(USING)
    restore()
    own = ends._Asking.run

    def run(asking: Any) -> None:
        Coupon.objects.filter(code="a").update(expires_at=FUTURE + HOUR)
        own(asking)

    monkeypatch.setattr(ends._Asking, "run", run)
    manage(*RECOVER, "--online")
    assert Event.objects.get(cause="recovery").subjects == ["b"]


@pytest.mark.slow
def test_a_row_that_cannot_be_read_hinders_no_other(site: Backups) -> None:
    rows = [
        Preference.objects.create(created_at=NOW, data={"days": days})
        for days in ("5", "five", "6")
    ]
    publish_now(USING)
    restore = site.template()
    for row in rows:
        row.data = {"days": "50"}
        row.save()
    publish_now(USING)
    restore()
    manage(*RECOVER)
    said = Event.objects.filter(cause="recovery")
    assert {key for each in said for key in each.subjects} == {str(rows[0].pk), str(rows[2].pk)}
    run_until_idle(timedelta(0))
    assert Preference.objects.count() == 3


HOUR = SOON = timedelta(hours=1)
KINDS = {
    "more than 100 ends": Kind(
        Token, tokens(lambda n: NOW + n * DAY + SOON, 350),
        lambda: Token.objects.update(expires_at=F("expires_at") + timedelta(seconds=1)), "tokens",
    ),
    "text keys": Kind(
        Coupon, lambda: Coupon.objects.create(code="Ä 1", expires_at=NOW + SOON),
        later(Coupon, "expires_at"), "coupons",
    ),
    "signals": Kind(
        Legacy, lambda: Legacy.objects.create(expires_at=NOW + SOON),
        later(Legacy, "expires_at"), "legacy",
    ),
    "an update": Kind(
        Account, lambda: Account.objects.create(email="a@x", seen_at=NOW - 30 * DAY + SOON),
        later(Account, "seen_at", NOW + 11 * DAY), "accounts",
    ),
    "one statement": Kind(
        Token, tokens(lambda n: NOW + SOON),
        lambda: Token.objects.update(expires_at=FUTURE + DAY), "tokens",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_policy(site: Backups, kind: str) -> None:
    """Each row that ended later is live until then at least, and listed for that time."""
    case = KINDS[kind]
    case.make()
    publish_now(USING)
    restore = site.template()
    case.change()
    publish_now(USING)
    until_then = dict(state(case.policy))
    restore()
    manage(*RECOVER)
    until = dict(RowException.objects.filter(policy=case.policy).values_list("key", "until"))
    assert until.keys() == until_then.keys()
    assert all(until[key] >= until_then[key] for key in until_then)
    listed = {key for each in AgendaEntry.objects.filter(policy=case.policy, event__kind="restored")
              for key in each.event.subjects}  # fmt: skip
    assert listed == until_then.keys()
    assert case.model.objects.count() == len(until_then)
    whole()


def state(policy: str) -> Any:
    """The end of each row by its columns."""
    code = compiled(get_policy(policy))
    return fetch(USING, f"SELECT {code.key.text('key')}, due FROM ({code.due_sql}) AS compiled")
