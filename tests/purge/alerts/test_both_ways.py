"""Mail in each way in which the site's settings may name its server, to a real one."""

from typing import Any

import pytest
from django.core import mail as django_mail

from demo.reports.health import health
from demo.reports.texts import mail as send_health
from purge.alerts import mail, watch
from purge.reports.report import reports
from purge.reports.texts import mail as send_report
from tests.mailing import WAYS, set_mail
from tests.purge.alerts.conftest import Mailbox
from tests.purge.alerts.test_alerts import drafts
from tests.support import let_pass

each_way = pytest.mark.parametrize("mailbox", WAYS, indirect=True)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@each_way
def test_everything_that_is_sent_comes(mailbox: Mailbox) -> None:
    drafts(1)
    watch.watch("default")
    send_report(reports(7), "ops@example.com")
    send_health(health(), "ops@example.com")
    assert [str(each["To"]) for each in mailbox.mails] == [
        "site@example.com", "ops@example.com", "ops@example.com",
    ]  # fmt: skip
    alert, report, suppressions = mailbox.subjects
    assert alert == "[Django] Retention policy drafts: rows cannot end"
    assert report.startswith("Retention: ")
    assert suppressions.startswith("Suppressions: ")


@pytest.mark.django_db(transaction=True)
@each_way
def test_mail_that_is_refused_comes_later(mailbox: Mailbox) -> None:
    mailbox.refuses = True
    drafts(1)
    watch.watch("default")
    assert (mailbox.refused, mailbox.mails) == (1, [])
    mailbox.refuses = False
    let_pass(watch.FIRST_WAIT * 2)
    watch.watch("default")
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("way", WAYS)
def test_no_server_holds_it_up(settings: Any, way: str) -> None:
    set_mail(settings, 25, way)
    assert mail.patient().timeout == mail.TIMEOUT


@pytest.mark.parametrize("way", WAYS)
def test_the_sites_own_timeout_is_kept(settings: Any, way: str) -> None:
    set_mail(settings, 25, way)
    if way == "MAILERS":
        settings.MAILERS["default"]["OPTIONS"]["timeout"] = 3
    else:
        settings.EMAIL_TIMEOUT = 3
    assert mail.patient().timeout == 3


@pytest.mark.parametrize(
    "admins", [["a@example.com", "b@example.com"], [("A", "a@example.com"), ("B", "b@example.com")]]
)
def test_admins_as_addresses_and_as_pairs(settings: Any, admins: Any) -> None:
    settings.ADMINS, settings.EMAIL_SUBJECT_PREFIX = admins, "[shop] "
    settings.SERVER_EMAIL = "shop@example.com"
    mail.send_to_admins("late", "it is")
    (sent,) = django_mail.outbox
    assert (sent.to, sent.subject) == (["a@example.com", "b@example.com"], "[shop] late")
    assert (sent.from_email, sent.body) == ("shop@example.com", "it is")


def test_nobody_to_tell(settings: Any) -> None:
    settings.ADMINS = []
    mail.send_to_admins("late", "it is")
    assert django_mail.outbox == []
