"""`cleanup_email_suppressions`, as a new user tries it."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from demo.factories import EmailSuppressionFactory
from demo.models import EmailSuppression
from lifecycle import hold
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from tests.demo.golden import assert_golden, manage
from tests.purge.alerts.conftest import Mailbox, mailbox  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
COMMAND = "cleanup_email_suppressions"


def suppressions() -> dict[str, EmailSuppression]:
    now, make = timezone.now(), EmailSuppressionFactory.create
    old = {"last_bounce_at": now - timedelta(days=31)}
    stale = {"stale": True}
    return {
        "older": make(address="a@example.com", count=3, last_bounce_at=now - timedelta(days=40)),
        "old": make(address="b@example.com", **old),
        "held": make(address="held@example.com", **old),
        "new": make(address="new@example.com"),
        "hard": make(address="hard@example.com", hard=True, **old),
        "complaint": make(address="c@example.com", complaint=True, **old),
        "stale": make(address="stale@example.com", **stale),
        "stale hard": make(address="h@example.com", hard=True, **stale),
        "inactive": make(
            address="in@example.com", active=False, deactivated_at=now - timedelta(days=89), **old
        ),
    }


def states() -> dict[str, bool]:
    return dict(EmailSuppression.objects.values_list("address", "active"))


def test_what_it_does_and_says(mailbox: Mailbox) -> None:  # noqa: F811
    hold(suppressions()["held"])
    printed = manage(COMMAND, email_report="ops@example.com", actor="jo")
    assert_golden("suppressions", printed)
    assert states() == {
        "a@example.com": False, "b@example.com": False, "held@example.com": True,
        "new@example.com": True, "hard@example.com": True, "c@example.com": True,
        "h@example.com": False, "in@example.com": False,
    }  # fmt: skip
    told = Event.objects.filter(kind__in=("updated", "purged")).order_by("pk")
    assert [*told.values_list("kind", "policy", "count")] == [
        ("updated", "soft-bounces", 2),
        ("purged", "stale-bounces", 1),
    ]
    (mail,) = mailbox.mails
    assert mail["To"] == "ops@example.com"
    assert "deactivated in 7 days                    2" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_purge_now_says_who_and_does_the_same(mailbox: Mailbox) -> None:  # noqa: F811
    suppressions()
    printed = manage(COMMAND, purge_now=True, yes=True, actor="jo")
    assert "Deactivated 3 soft bounce suppressions" in printed
    assert "Deleted 1 stale bounce records" in printed
    assert {*Event.objects.filter(kind="updated").values_list("actor", flat=True)} == {"jo"}
    assert "Found 0 soft bounce suppressions" in manage(COMMAND, actor="jo")
    assert mailbox.mails == []


def test_dry_run(mailbox: Mailbox, request: pytest.FixtureRequest) -> None:  # noqa: F811
    suppressions()
    request.getfixturevalue("nothing_changes")
    printed = manage(COMMAND, dry_run=True, email_report="ops@example.com", actor="jo")
    assert_golden("suppressions_dry_run", printed)
    assert mailbox.mails == []


def test_for_programs() -> None:
    suppressions()
    told = json.loads(manage(COMMAND, json=True, actor="jo"))
    soft, stale = told["parts"]
    assert (soft["policy"], soft["found"], soft["updated"]) == ("soft-bounces", 3, 3)
    assert (stale["policy"], stale["found"], stale["purged"]) == ("stale-bounces", 1, 1)


def test_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    suppressions()
    before = states()
    for option, value in (("cap_rows", 1), ("cap_fraction", 0)):
        monkeypatch.setattr(get_policy("soft-bounces"), option, value)
    with pytest.raises(CommandError, match="soft-bounces"):
        manage(COMMAND, actor="jo")
    assert states() == before


def test_mistakes(mailbox: Mailbox) -> None:  # noqa: F811
    suppressions()
    before = states()
    with pytest.raises(CommandError, match="'jo' is no mail address"):
        manage(COMMAND, email_report="jo", actor="jo")
    assert states() == before
    mailbox.refuses = True
    with pytest.raises(CommandError, match="are cleaned up, but the mail was not sent"):
        manage(COMMAND, email_report="ops@example.com", actor="jo")
    assert states() != before
