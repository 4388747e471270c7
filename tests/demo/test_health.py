"""The weekly health report: what it says, and that it comes once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from demo.factories import EmailSuppressionFactory
from demo.models import EmailSuppression, WeeklyReport
from demo.reports import weekly
from demo.reports.health import health
from demo.reports.texts import as_html, as_text, mail
from purge.runner import run_due
from tests.purge.alerts.conftest import Mailbox, mailbox  # noqa: F401 - a fixture
from tests.purge.worker.conftest import consumer  # noqa: F401 - a fixture
from tests.purge.worker.consumer import Consumer, ask
from tests.support import let_pass, together, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = timedelta(days=7)


@pytest.fixture
def reported(settings: Any, mailbox: Mailbox) -> Mailbox:  # noqa: F811
    """A site that sends its report, and has sent the last one a week ago."""
    settings.DEMO_REPORT_TO = ["ops@example.com"]
    last = weekly.week_before(timezone.now()) - WEEK
    WeeklyReport.objects.create(name=weekly.NAME, period=last)
    return mailbox


def suppressions() -> None:
    """Each kind; one is deactivated and one deleted in the week, one of each is due in the next."""
    now = timezone.now()
    EmailSuppressionFactory.create_batch(2)
    EmailSuppressionFactory.create(soft_old=True)
    EmailSuppressionFactory.create(stale=True)
    EmailSuppressionFactory.create(hard=True, last_bounce_at=now - timedelta(days=60))
    EmailSuppressionFactory.create(kind="complaint", address="jo@Elsewhere.example")
    EmailSuppressionFactory.create(last_bounce_at=now - timedelta(days=25))
    gone = {"active": False, "last_bounce_at": now - timedelta(days=150)}
    EmailSuppressionFactory.create(**gone, deactivated_at=now - timedelta(days=85))
    EmailSuppressionFactory.create(**gone, deactivated_at=now - timedelta(days=10))
    run_due()


def test_what_it_says() -> None:
    suppressions()
    found = health()
    assert found.kinds == [("soft", 3, 3), ("hard", 1, 0), ("complaint", 1, 0)]
    assert found.domains == [("example.com", 4), ("elsewhere.example", 1)]
    assert (found.new, found.deactivated, found.deleted) == (3, 1, 1)
    assert (found.next_deactivated, found.next_deleted) == (1, 1)
    text, page = as_text(found), as_html(found)
    for said in ("soft", "complaint", "elsewhere.example", "soft-bounces", "stale-bounces"):
        assert said in text
        assert said in page
    assert "jo@" not in text + page
    assert "deactivated in 7 days                    1" in text


def test_domains_are_escaped() -> None:
    EmailSuppressionFactory.create(address="x@<script>.example")
    page = as_html(health())
    assert "<script>" not in page
    assert "&lt;script&gt;.example" in page


@pytest.mark.parametrize(
    ("now", "period"),
    [
        (datetime(2026, 11, 22, 3, 0), datetime(2026, 11, 22, 3)),
        (datetime(2026, 11, 22, 2, 59, 59), datetime(2026, 11, 15, 3)),
        (datetime(2026, 11, 28, 23, 0), datetime(2026, 11, 22, 3)),
        (datetime(2027, 1, 1, 0, 0), datetime(2026, 12, 27, 3)),
    ],
)
def test_weeks(now: datetime, period: datetime) -> None:
    assert weekly.week_before(now.replace(tzinfo=UTC)) == period.replace(tzinfo=UTC)


def test_a_new_site_has_no_week_behind_it(settings: Any, mailbox: Mailbox) -> None:  # noqa: F811
    assert not weekly.send_due()
    assert not WeeklyReport.objects.exists()
    settings.DEMO_REPORT_TO = ["ops@example.com"]
    assert not weekly.send_due()
    let_pass(WEEK)
    assert weekly.send_due()
    assert not weekly.send_due()
    assert len(mailbox.mails) == 1


def test_four_ask_at_once(reported: Mailbox) -> None:
    sent = together(*[weekly.send_due] * 4)
    assert sorted(sent) == [False, False, False, True]
    (told,) = reported.mails
    assert told["To"] == "ops@example.com"
    assert str(told["Subject"]).startswith("Suppressions: 0 active, 0 new. Retention: ")
    assert told.get_content_type() == "multipart/alternative"


def test_mail_server_that_is_away(reported: Mailbox) -> None:
    reported.stop()
    assert not weekly.send_due()
    reported.start()
    assert not weekly.send_due()  # not yet
    let_pass(timedelta(seconds=61))
    assert weekly.send_due()
    assert len(reported.mails) == 1
    row = WeeklyReport.objects.get()
    assert (row.tries, row.period) == (0, weekly.week_before(timezone.now()))


def test_a_sender_that_was_killed(reported: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*given: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(weekly, "mail", killed)
    with pytest.raises(SystemExit):
        weekly.send_due()
    monkeypatch.setattr(weekly, "mail", mail)
    assert not weekly.send_due()
    let_pass(timedelta(minutes=11))
    assert weekly.send_due()


@pytest.mark.slow
def test_two_consumers_send_one_also_after_two_weeks_away(
    consumer: Callable[..., Consumer],  # noqa: F811
    reported: Mailbox,
) -> None:
    EmailSuppressionFactory.create_batch(3)
    site = {
        "DJANGO_SETTINGS_MODULE": "tests.purge.alerts.settings",
        "MAIL_PORT": str(reported.port),
    }
    site |= {"HEALTH_REPORT_TO": "ops@example.com"}
    for number in (1, 2):
        both = [consumer(f"{name}-{number}", **site) for name in ("one", "two")]
        wait_until(lambda number=number: len(reported.mails) >= number, "the report")
        wait_until(lambda: not ask("SELECT count(*) FROM huey_task"), "the other's question")
        assert [each.end() for each in both] == [0, 0]
        assert len(reported.mails) == number
        let_pass(2 * WEEK)
    text = reported.mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "soft             3 active" in text
    assert EmailSuppression.objects.count() == 3
