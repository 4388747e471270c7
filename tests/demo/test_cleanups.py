"""The clean-up commands, as a new user tries them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from demo.factories import (
    IssuedTokenFactory,
    PendingRegistrationFactory,
    RefusedTokenFactory,
    ServiceFactory,
    ServiceMediaFactory,
    ServiceSessionFactory,
    UserFactory,
    UserOTPFactory,
)
from demo.models import IssuedToken, PendingRegistration, RefusedToken, Service, User, UserOTP
from lifecycle import hold
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from purge.runner import run_due
from tests.clock import pass_time
from tests.demo.golden import assert_golden, manage

pytestmark = pytest.mark.django_db(transaction=True)
NOW = {"purge_now": True, "yes": True, "actor": "jo"}


@pytest.fixture(autouse=True)
def media_folder(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def joined(name: str, days: float, **more: Any) -> User:
    return UserFactory.create(
        username=name, unverified=True, date_joined=timezone.now() - timedelta(days=days), **more
    )


class TestUsers:
    def people(self) -> None:
        joined("eve", 8.5)
        joined("bob", 9.5)
        joined("new", 6.5)
        joined("held", 20.5)
        hold(User.objects.get(username="held"))
        joined("staff", 30, is_staff=True)
        joined("root", 30, is_superuser=True)
        joined("here", 30, last_login=timezone.now())
        UserFactory.create(username="verified", date_joined=timezone.now() - timedelta(days=30))

    def test_none(self) -> None:
        UserFactory.create()
        assert_golden("users_none", manage("cleanup_unverified_users", actor="jo"))

    def test_purge_now(self) -> None:
        self.people()
        assert_golden("users_purge_now", manage("cleanup_unverified_users", **NOW))
        left = set(User.objects.values_list("username", flat=True))
        assert left == {"new", "held", "staff", "root", "here", "verified"}
        told = Event.objects.filter(kind="purged", policy="unverified-users").get()
        assert (told.actor, told.count) == ("jo", 2)

    def test_with_the_grace_a_login_or_a_verified_address_brings_back(self) -> None:
        self.people()
        joined("late", 8.5)
        assert_golden("users_tombstoned", manage("cleanup_unverified_users", actor="jo"))
        assert User.objects.tombstoned().count() == 3
        User.objects.filter(username="eve").update(email_verified_at=timezone.now())
        User.objects.filter(username="bob").update(last_login=timezone.now())
        assert set(User.objects.tombstoned()) == {User.objects.get(username="late")}
        pass_time(days=2)
        run_due()
        assert User.objects.filter(username__in=["eve", "bob"]).count() == 2
        assert not User.objects.filter(username="late").exists()

    def test_dry_run(self, request: pytest.FixtureRequest) -> None:
        self.people()
        request.getfixturevalue("nothing_changes")
        assert_golden("users_dry_run", manage("cleanup_unverified_users", dry_run=True, actor="jo"))
        printed = manage("cleanup_unverified_users", dry_run=True, **NOW)
        assert "Would delete 2 unverified user(s)" in printed

    def test_other_ages(self) -> None:
        self.people()
        manage("cleanup_unverified_users", days=9, **NOW)
        assert not User.objects.filter(username="bob").exists()
        assert User.objects.filter(username__in=["eve", "new"]).count() == 2
        manage("cleanup_unverified_users", days=6, **NOW)
        assert not User.objects.filter(username__in=["eve", "new"]).exists()
        assert User.objects.filter(username="held").exists()

    def test_an_older_age_leaves_a_tombstone_as_it_is(self) -> None:
        self.people()
        run_due()
        pass_time(hours=6)
        printed = manage("cleanup_unverified_users", days=9, actor="jo")
        assert "Tombstoned 1 unverified user(s)" in printed
        pass_time(hours=19)
        run_due()
        assert not User.objects.filter(username__in=["eve", "bob"]).exists()

    def test_json(self) -> None:
        self.people()
        told = json.loads(manage("cleanup_unverified_users", json=True, **NOW))
        (part,) = told["parts"]
        assert (part["policy"], part["found"], part["purged"], part["held"]) == (
            "unverified-users", 3, 2, 1,
        )  # fmt: skip
        assert [row["state"] for row in part["rows"]] == ["stays", "gone", "gone"]
        assert part["rows"][0]["why"] == "held"

    def test_the_cap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.people()
        policy = get_policy("unverified-users")
        monkeypatch.setattr(policy, "cap_rows", 1)
        monkeypatch.setattr(policy, "cap_fraction", 0)
        with pytest.raises(CommandError, match="more than 1 rows would end"):
            manage("cleanup_unverified_users", **NOW)
        with pytest.raises(CommandError, match="unverified-users is halted"):
            manage("cleanup_unverified_users", actor="jo")
        assert User.objects.filter(username__in=["eve", "bob"]).count() == 2

    @pytest.mark.usefixtures("nothing_changes")
    def test_wrong(self) -> None:
        for days in ("0", "-1", "x", "1.5", "1000000"):
            with pytest.raises(CommandError, match="is not a number of days"):
                manage("cleanup_unverified_users", f"--days={days}")

    def test_asks_before_it_purges(self) -> None:
        joined("bob", 9)
        with pytest.raises(CommandError, match="say --yes"):
            manage("cleanup_unverified_users", purge_now=True, actor="jo")
        assert User.objects.count() == 1

    def test_while_it_is_paused(self) -> None:
        joined("bob", 9)
        pause("unverified-users")
        with pytest.raises(CommandError, match="unverified-users ends nothing: it is paused"):
            manage("cleanup_unverified_users", actor="jo")
        resume("unverified-users")


class TestRegistrations:
    def rows(self) -> None:
        now = timezone.now()
        PendingRegistrationFactory.create()
        PendingRegistrationFactory.create_batch(2, otp_expired=True)
        PendingRegistrationFactory.create_batch(3, unconfirmed=True)
        for state in ("used", "expired", "forgotten"):
            UserOTPFactory.create(**{state: True})
        days = timedelta(days=2)
        UserOTPFactory.create(created_at=now - timedelta(hours=13), expires_at=now + days)

    def test_each_cause_is_counted(self) -> None:
        self.rows()
        assert_golden("registrations", manage("cleanup_pending_registrations", actor="jo"))
        assert PendingRegistration.objects.count() == 1
        assert UserOTP.objects.count() == 1

    def test_dry_run(self, request: pytest.FixtureRequest) -> None:
        self.rows()
        request.getfixturevalue("nothing_changes")
        printed = manage("cleanup_pending_registrations", dry_run=True, actor="jo")
        assert_golden("registrations_dry_run", printed)

    def test_younger(self) -> None:
        self.rows()
        young = PendingRegistrationFactory.create(
            created_at=timezone.now() - timedelta(minutes=40), otp_expires_at=None
        )
        live = UserOTPFactory.create(expires_at=timezone.now() + timedelta(minutes=5))
        manage("cleanup_pending_registrations", pending_age=30, otp_age=720, **NOW)
        assert not PendingRegistration.objects.filter(pk=young.pk).exists()
        assert list(UserOTP.objects.all()) == [live], "one that has not expired stays"

    def test_older(self) -> None:
        self.rows()
        manage("cleanup_pending_registrations", pending_age=120, otp_age=2880, **NOW)
        assert PendingRegistration.objects.count() == 4
        assert UserOTP.objects.count() == 2


class TestTokens:
    def test_both_tables(self) -> None:
        for factory in (RefusedTokenFactory, IssuedTokenFactory):
            factory.create()
            factory.create_batch(2, expired=True)
        dry = manage("cleanup_expired_tokens", dry_run=True, actor="jo")
        assert RefusedToken.objects.count() == 3
        assert_golden("tokens", dry + manage("cleanup_expired_tokens", actor="jo"))
        assert (RefusedToken.objects.count(), IssuedToken.objects.count()) == (1, 1)

    def test_a_held_one_is_told_of(self) -> None:
        hold(RefusedTokenFactory.create(expired=True))
        printed = manage("cleanup_expired_tokens", **NOW)
        assert "Kept 1 expired token(s): held, restored, or locked" in printed
        assert RefusedToken.objects.count() == 1

    def test_without_simplejwt(self, settings: Any) -> None:
        settings.INSTALLED_APPS = [a for a in settings.INSTALLED_APPS if "simplejwt" not in a]
        assert "simplejwt" not in manage("cleanup_expired_tokens", actor="jo")


class TestDrafts:
    def drafts(self) -> None:
        owner = UserFactory.create(username="ann")
        for name, hours in (("bare", 25), ("pictures", 30), ("booked", 40), ("young", 5)):
            begun = timezone.now() - timedelta(hours=hours, minutes=1)
            ServiceFactory.create(title=name, draft=True, created_at=begun, owner=owner)
        ServiceFactory.create(title="public", created_at=timezone.now() - timedelta(days=9))
        ServiceMediaFactory.create_batch(2, service=Service.objects.get(title="pictures"))
        ServiceSessionFactory.create(service=Service.objects.get(title="booked"))

    def left(self) -> set[str]:
        return set(Service.objects.values_list("title", flat=True))

    def test_keeping(self) -> None:
        self.drafts()
        both = {"keep_with_media": True, "keep_with_sessions": True}
        assert_golden("drafts_keep", manage("cleanup_draft_services", **both, **NOW))
        assert self.left() == {"pictures", "booked", "young", "public"}

    def test_keeping_nothing_and_through_the_grace(self) -> None:
        self.drafts()
        run_due()
        assert Service.objects.tombstoned().count() == 1, "by itself the policy keeps two"
        assert_golden("drafts_tombstoned", manage("cleanup_draft_services", actor="jo"))
        assert Service.objects.tombstoned().count() == 3
        pass_time(days=8)
        run_due()
        assert self.left() == {"public", "young"}, "the young one has come to its end since"

    def test_hours(self) -> None:
        self.drafts()
        hold(Service.objects.get(title="bare"))
        assert_golden("drafts_hours", manage("cleanup_draft_services", hours=4, **NOW))
        assert self.left() == {"bare", "public"}
        drafts = Event.objects.get(kind="purged", policy="draft-services")
        assert drafts.detail["cascade"] == {
            "demo.servicemedia": 2,
            "demo.servicesession": 1,
        }

    def test_dry_run(self, request: pytest.FixtureRequest) -> None:
        self.drafts()
        request.getfixturevalue("nothing_changes")
        printed = manage("cleanup_draft_services", dry_run=True, keep_with_media=True, actor="jo")
        assert_golden("drafts_dry_run", printed)
