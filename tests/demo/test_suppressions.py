"""Addresses that bounced: from the webhook of the mail service to the end."""

import base64
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from demo.factories import EmailSuppressionFactory
from demo.models import EmailSuppression
from demo.suppressing import kind_of, remember
from lifecycle.models import Event
from purge.runner import run_due
from tests.support import together

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)
SECRET = "name:a secret of the tests"
urlpatterns = [path("anymail/", include("anymail.urls"))]


def event(kind: str, reason: str | None = None, response: str = "", **told: Any) -> Any:
    given = {"event_type": kind, "reject_reason": reason, "mta_response": response}
    return SimpleNamespace(**given, esp_event=told)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (event("delivered"), None),
        (event("deferred", response="452 4.2.2 mailbox full"), None),
        (event("unsubscribed", "unsubscribed"), None),
        (event("bounced", "bounced"), "soft"),
        (event("bounced", "bounced", "smtp; 550 5.1.1 user unknown"), "hard"),
        (event("bounced", "bounced", "550 no such user here"), "hard"),
        (event("bounced", "bounced", "552 5.2.2 mailbox full"), "soft"),
        (event("bounced", "bounced", "421 4.7.0 try later"), "soft"),
        (event("bounced", "invalid"), "hard"),
        (event("bounced", "timed_out"), "soft"),
        (event("bounced", "bounced", bounce={"bounceType": "Permanent"}), "hard"),
        (event("bounced", "bounced", bounce={"bounceType": "Transient"}), "soft"),
        (event("bounced", "bounced", Type="HardBounce"), "hard"),
        (event("bounced", "bounced", Type="SoftBounce"), "soft"),
        (event("bounced", "bounced", **{"event-data": {"severity": "permanent"}}), "hard"),
        (event("complained"), "complaint"),
        (event("rejected", "spam"), "complaint"),
        (event("rejected", "blocked"), "soft"),
    ],
)
def test_kinds(given: Any, kind: str | None) -> None:
    assert kind_of(given) == kind


@pytest.mark.django_db
def test_what_is_remembered() -> None:
    remember("Jo@Example.com", "soft", "full", NOW)
    known = remember("jo@example.com", "hard", "unknown", NOW + timedelta(days=1))
    assert (known.address, known.kind, known.count) == ("jo@example.com", "hard", 2)
    known = remember("jo@example.com", "soft", "x" * 900, NOW - timedelta(days=1))  # came late
    assert (known.kind, known.count, known.reason) == ("hard", 3, "unknown")
    assert known.last_bounce_at - known.first_bounce_at == timedelta(days=2)
    EmailSuppression.objects.update(active=False, deactivated_at=NOW + timedelta(days=40))
    assert not remember("jo@example.com", "soft", "", NOW).active
    again = remember("jo@example.com", "soft", "", NOW + timedelta(days=50))
    assert (again.active, again.deactivated_at) == (True, None)


@pytest.mark.django_db(transaction=True)
def test_webhooks_that_come_at_once() -> None:
    together(*[lambda: remember("jo@example.com", "soft", "", NOW) for _ in range(4)])
    assert EmailSuppression.objects.get().count == 4


@pytest.mark.django_db
@pytest.mark.urls("tests.demo.test_suppressions")
def test_webhook_of_the_mail_service(settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    told = {
        "RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Email": "Gone@example.com",
        "BouncedAt": "2030-05-01T12:00:00Z", "Description": "The server was unable to deliver",
        "Details": "smtp;550 5.1.1 unknown", "MessageID": "1", "ID": 7,
    }  # fmt: skip
    known = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}

    def post(**headers: str) -> int:
        path = "/anymail/postmark/tracking/"
        answer = Client().post(path, json.dumps(told), "application/json", headers=headers)
        return int(answer.status_code)

    assert post() == 400  # nobody we know
    assert not EmailSuppression.objects.exists()
    assert post(**known) == 200
    row = EmailSuppression.objects.get()
    assert (row.address, row.kind, row.last_bounce_at) == ("gone@example.com", "hard", NOW)


@pytest.mark.django_db(transaction=True)
def test_what_becomes_of_them() -> None:
    stays = [
        EmailSuppressionFactory.create(),
        EmailSuppressionFactory.create(hard=True, soft_old=True, kind="hard"),
        EmailSuppressionFactory.create(kind="complaint", soft_old=True),
        EmailSuppressionFactory.create(kind="hard", stale=True),
    ]
    before = list(EmailSuppression.objects.order_by("pk").values())
    old = EmailSuppressionFactory.create(soft_old=True)
    EmailSuppressionFactory.create(stale=True)
    run_due()
    old.refresh_from_db()
    assert not old.active
    assert timezone.now() - old.deactivated_at < timedelta(minutes=5)
    left = EmailSuppression.objects.order_by("pk").exclude(pk=old.pk)
    assert list(left.values()) == before
    assert left.count() == len(stays)
    told = Event.objects.filter(kind__in=("updated", "purged")).order_by("pk")
    assert [*told.values_list("kind", "policy", "count")] == [
        ("updated", "soft-bounces", 1),
        ("purged", "stale-bounces", 1),
    ]
    remember(old.address, "soft", "", timezone.now())
    EmailSuppression.objects.filter(pk=old.pk).update(count=9)
    run_due()
    old.refresh_from_db()
    assert old.active
