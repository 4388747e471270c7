"""The life of a row, state by state."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
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
