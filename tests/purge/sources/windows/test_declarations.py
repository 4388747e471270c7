"""What a policy with windows may say, and what is told of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.db.models import F
from django.test.utils import isolate_apps

from lifecycle import Policy, Update, Window, expire_now, hold, restore
from lifecycle.checks.options import key_is_no_secret
from lifecycle.checks.windows import WINDOWS
from lifecycle.compiler.fingerprint import capture_fingerprint, fingerprint
from lifecycle.exceptions import LifecycleError, PolicyError
from lifecycle.policy.registry import _policies
from tests.zoo.models import Badge, Draft, Trace

DAY = timedelta(days=1)


def policy(**options: Any) -> Policy:
    given = {"expires": F("made_at") + DAY, "capture": Window()} | options
    return Policy("windowed", Trace, **given)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"expires": F("made_at") + F("grace")}, "a field plus a timedelta"),
        ({"grace": F("grace")}, "`grace` must be a timedelta"),
        ({"disposition": Update(label="")}, "Update"),
        ({"resolution": timedelta(minutes=1)}, "resolution"),
        ({"capture": Window(record_subjects=False), "identity": ["pk"]}, "identity"),
    ],
)
def test_what_a_window_cannot_do_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        policy(**options)


@pytest.mark.parametrize("size", ["1 dya", "2 days", "day", 1])
def test_a_size_is_an_hour_a_day_or_a_month(size: Any) -> None:
    with pytest.raises(PolicyError, match="'1 hour', '1 day', '1 month'"):
        Window(size)


def test_size_and_secrecy_make_another_declaration_and_the_grace_no_other_triggers() -> None:
    others = [policy(capture=Window("1 hour")), policy(capture=Window(record_subjects=False))]
    assert len({fingerprint(each) for each in [policy(), *others]}) == 3
    assert len({capture_fingerprint(each) for each in [policy(), *others]}) == 3
    assert capture_fingerprint(policy(grace=DAY)) == capture_fingerprint(policy())
    assert fingerprint(policy(grace=DAY)) != fingerprint(policy())


def ids(chosen: Policy) -> list[str | None]:
    return [message.id for check in WINDOWS for message in check(chosen)]


def test_a_field_without_an_index_is_told_of() -> None:
    assert ids(policy()) == []
    assert ids(Policy("drafts-by-day", Draft, expires="created_at", capture=Window())) == [
        "lifecycle.W029"
    ]


@isolate_apps("tests.zoo")
def test_any_index_that_begins_with_the_field_serves() -> None:
    class Log(models.Model):
        at = models.DateTimeField()
        on = models.DateField(db_index=True)

        class Meta:
            app_label = "zoo"
            indexes = (models.Index(fields=["-at", "on"], name="log_at"),)

    assert ids(Policy("logs", Log, expires="at", capture=Window())) == []
    assert ids(Policy("logs", Log, expires="on", capture=Window())) == ["lifecycle.E019"]


@pytest.fixture
def beside() -> Iterator[Policy]:
    """A second policy on the table of badges, which would name them."""
    other = Policy("badges-too", Badge, expires="until", capture=Window())
    _policies[other.name] = other
    yield other
    del _policies[other.name]


def test_policies_of_a_table_agree_on_its_secrets(beside: Policy) -> None:
    assert ids(beside) == ["lifecycle.E034"]


@isolate_apps("tests.zoo")
def test_a_key_that_is_never_recorded_is_no_secret_told() -> None:
    class Session(models.Model):
        session_key = models.CharField(primary_key=True, max_length=40)
        at = models.DateTimeField(db_index=True)

        class Meta:
            app_label = "zoo"

    told = Policy("s", Session, expires="at", capture=Window("1 hour"))
    untold = Policy("s", Session, expires="at", capture=Window("1 hour", False))
    assert [m.id for m in key_is_no_secret(told)] == ["lifecycle.W028"]
    assert key_is_no_secret(untold) == []


@pytest.mark.django_db
@pytest.mark.parametrize("act", [hold, restore, expire_now])
def test_nobody_names_a_row_whose_key_is_a_secret(act: Any) -> None:
    row = Badge.objects.create(secret="hush", until="2100-01-01T00:00:00Z")
    with pytest.raises(LifecycleError, match="secrets"):
        act(row)
