"""Which policy ends which row of the demonstration."""

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.factories import PendingRegistrationFactory, UserOTPFactory
from demo.models import PendingRegistration, UserOTP
from demo.story import Story, StoryError
from lifecycle.models import Event
from purge.runner import run_due

pytestmark = pytest.mark.django_db(transaction=True)


def purged(policy: str) -> list[str]:
    events = Event.objects.filter(kind="purged", policy=policy)
    return [key for event in events for key in event.subjects]


def test_each_cause_is_counted_by_its_own_policy() -> None:
    live = PendingRegistrationFactory.create()
    expired = PendingRegistrationFactory.create_batch(2, otp_expired=True)
    unconfirmed = PendingRegistrationFactory.create_batch(3, unconfirmed=True)
    run_due()
    assert purged("registrations-otp-expired") == [str(row.pk) for row in expired]
    assert purged("registrations-unconfirmed") == [str(row.pk) for row in unconfirmed]
    assert list(PendingRegistration.objects.all()) == [live]


@pytest.mark.parametrize("minutes", [59, 60, 61, None])
def test_the_first_of_both_ends_counts_and_one_policy_has_the_row(minutes: int | None) -> None:
    made = timezone.now()
    otp = None if minutes is None else made + timedelta(minutes=minutes)
    PendingRegistrationFactory.create(created_at=made, otp_expires_at=otp)
    event = Event.objects.get(kind="expiry_scheduled")
    first = made + timedelta(minutes=min(minutes or 60, 60))
    assert first <= event.due_at < first + timedelta(seconds=1)


@pytest.mark.parametrize("state", ["used", "expired", "forgotten"])
def test_a_password_ends_by_each_of_its_ends(state: str) -> None:
    live, ended = UserOTPFactory.create(), UserOTPFactory.create(**{state: True})
    assert list(UserOTP.objects.tombstoned()) == [ended]
    run_due()
    assert list(UserOTP.objects.all()) == [live]


def test_grace_is_that_of_the_row() -> None:
    row = UserOTPFactory.create(used=True, grace=timedelta(hours=1))
    run_due()
    assert list(UserOTP.objects.all()) == [row]
    assert Event.objects.filter(kind="tombstoned").count() == 1


class Silent:
    """A view for which nothing happens, and a worker that runs."""

    log = "worker.log"

    def refresh(self, facts: object, story: object) -> None: ...
    def is_running(self) -> bool:
        return True


def test_what_does_not_happen_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.story.frame.PATIENCE", 0.2)
    story = Story(Silent(), lambda *_: None)
    story.worker = Silent()
    with pytest.raises(StoryError, match="rows due: it did not happen in time"):
        story.until(lambda: False, "rows due")
