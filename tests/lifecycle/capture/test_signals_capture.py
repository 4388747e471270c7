"""`capture=Signals()`: what a save changes, and what it leaves as it is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import F, IntegerField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.signals import post_delete, post_save, pre_save
from django.utils import timezone

from lifecycle import Policy, Signals, restore
from lifecycle.capture.model_signals import connect
from lifecycle.install.after_migrate import store
from lifecycle.models import Event, PolicyState
from tests.support import events_of, run_until_idle
from tests.zoo.factories import ExpiredLegacyFactory, ExpiredPreferenceFactory
from tests.zoo.models import Legacy, Preference

pytestmark = pytest.mark.django_db(transaction=True)


def test_save_that_changes_no_end_leaves_a_restore() -> None:
    row = ExpiredLegacyFactory()
    restore(row)
    row.save()
    run_until_idle()
    assert Legacy.objects.exists()


def test_save_that_changes_the_end_takes_a_restore_back() -> None:
    row = ExpiredLegacyFactory()
    restore(row)
    row.expires_at -= timedelta(hours=1)
    row.save()
    run_until_idle()
    assert events_of(row, "purged") == ["purged"]


def test_save_lists_a_row_that_came_past_the_signals() -> None:
    Legacy.objects.bulk_create([Legacy(expires_at=timezone.now() - timedelta(hours=1))])
    Legacy.objects.get().save()
    run_until_idle()
    assert not Legacy.objects.exists()


@pytest.fixture
def _numbers() -> Iterator[None]:
    """A policy whose expression fails where `data` holds no number."""
    days = Cast(KeyTextTransform("days", "data"), IntegerField())
    late = F("created_at") + days * timedelta(days=1)
    policy = Policy("numbers", Preference, expires=late, capture=Signals())
    connect(policy)
    store(policy, "default")  # else what signals say of it is left
    PolicyState.objects.filter(name="numbers").update(state="observe")  # the worker has no code
    yield
    PolicyState.objects.filter(name="numbers").delete()
    assert post_delete.disconnect(sender=Preference, dispatch_uid="lifecycle.deleted")
    for signal in (pre_save, post_save):
        assert signal.disconnect(sender=Preference, dispatch_uid=f"lifecycle.numbers.{Preference}")


@pytest.mark.usefixtures("_numbers")
def test_a_delete_is_recorded_once_where_triggers_see_it_too() -> None:
    row = ExpiredPreferenceFactory()
    run_until_idle()
    assert events_of(row, "purged", "deleted") == ["purged"]


@pytest.mark.usefixtures("_numbers")
def test_save_goes_on_where_the_expression_fails() -> None:
    row = Preference.objects.create(created_at=timezone.now(), data={"days": "secret-number"})
    row.save()
    told = Event.objects.filter(policy="numbers").exclude(kind="policy_changed")
    assert [event.kind for event in told] == ["capture_failed", "capture_failed"]
    assert told[0].detail["sqlstate"] == "22P02"
