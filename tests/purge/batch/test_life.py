"""The life of a row, state by state."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lifecycle import expire_now
from lifecycle.models import AgendaEntry, Event
from purge.batch import run
from purge.runner import run_due
from tests.support import run_until_idle, together
from tests.zoo.models import Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)


def test_expired_token_is_purged_and_recorded() -> None:
    now = timezone.now()
    gone = Token.objects.create(expires_at=now - timedelta(seconds=5))
    stays = Token.objects.create(expires_at=now + timedelta(hours=1))
    run_due()
    assert list(Token.objects.all()) == [stays]
    kinds = list(
        Event.objects.exclude(kind__in=("policy_changed", "truncated"))
        .order_by("id")
        .values_list("kind", flat=True)
    )
    assert kinds == ["expiry_scheduled", "expiry_scheduled", "purged", "settled"], kinds
    assert Event.objects.get(kind="purged").subjects == [str(gone.pk)]
    assert AgendaEntry.objects.count() == 1


def test_draft_is_tombstoned_first() -> None:
    Draft.objects.bulk_create(
        [Draft(created_at=timezone.now() - timedelta(days=2)) for _ in range(5)]
    )
    run_due()
    assert Draft.objects.count() == 5
    assert Draft.objects.live().count() == 0
    assert Draft.objects.tombstoned().count() == 5
    tombstone = Event.objects.get(kind="tombstoned")
    assert tombstone.due_at > timezone.now() + timedelta(minutes=59)
    assert tombstone.count == 5


def test_expired_by_hand_after_the_batch_has_read_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The row ends a moment ahead of the batch's time: its own entry lists it for that moment.

    Were it listed again at the next whole second, the ledger would say that it went too early.
    """
    row = Token.objects.create(expires_at=timezone.now() - timedelta(seconds=5))
    Token.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    original = run.lock

    def lock(*args: Any) -> Any:
        monkeypatch.undo()
        together(lambda: expire_now(row, policy="tokens"))
        return original(*args)

    monkeypatch.setattr(run, "lock", lock)
    run_due()
    run_until_idle()
    assert not Token.objects.exists()
    assert not Event.objects.filter(detail__relisted="later").exists()
