"""German pages, mails and documents; and that commands, the ledger and data stay English."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from lifecycle import hold
from lifecycle.ledger.row_names import named
from lifecycle.models import Event
from purge.alerts.texts import BODIES, body, subject
from purge.models import Alert
from purge.reports.report import reports
from purge.reports.texts import as_html
from purge.reports.texts import mail as send_report
from purge.runner import run_due
from tests.lifecycle.admin.test_admin import looker
from tests.zoo.models import Draft, Person

__all__ = ["looker"]
pytestmark = pytest.mark.django_db(transaction=True)


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("lifecycle", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_page_in_the_language_of_the_browser(looker: Client) -> None:
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    run_due()
    hold(draft, reason="Streit", reference="A-12")
    asked = {"headers": {"accept-language": "de"}}
    page_one = looker.get("/admin/lifecycle/", **asked).text  # type: ignore[arg-type]
    assert "Was als Nächstes endet" in page_one
    assert f"Stand {timezone.now():%d.%m.%Y}" in page_one
    row = f"{reverse('admin:lifecycle_row')}?row={named(draft)}"
    page = looker.get(row, **asked).text  # type: ignore[arg-type]
    assert "Nichts in diesem Paket beendet ihn." in page
    assert ": Streit (A-12)" in page
    assert f"seit {timezone.now():%d.%m.%Y}" in page
    assert "Nothing of this package ends it." in looker.get(row).text


def test_a_hold_by_a_german_form_is_an_english_event(looker: Client) -> None:
    draft = Draft.objects.create(created_at=timezone.now())
    place = f"{reverse('admin:lifecycle_row_action', args=['hold'])}?row={named(draft)}"
    given = {"reason": "Streit", "reference": "A-12", "until": "2099-12-31T10:00"}
    answer = looker.post(place, given, headers={"accept-language": "de"}, follow=True)
    assert f"Gesperrt: {named(draft)}." in answer.text
    assert "31.12.2099 10:00:00" in answer.text
    event = Event.objects.latest("pk")
    assert (event.kind, event.detail["reason"]) == ("hold_placed", "Streit")
    assert event.detail["until"].startswith("2099-12-31T10:00")


def test_a_form_takes_a_date_as_its_language_writes_it(looker: Client) -> None:
    draft = Draft.objects.create(created_at=timezone.now())
    place = f"{reverse('admin:lifecycle_row_action', args=['hold'])}?row={named(draft)}"
    given = {"reason": "x", "until": "31.12.2099 10:00"}
    looker.post(place, given, headers={"accept-language": "de"})
    assert Event.objects.latest("pk").detail["until"].startswith("2099-12-31T10:00")
    wrong = {"reason": "x", "until": "31.12.1999 10:00"}
    page = looker.post(place, wrong, headers={"accept-language": "de"}).text
    assert "Dieses Datum ist vorbei." in page


def test_numbers_of_events_are_not_grouped(looker: Client, settings: Any) -> None:
    """Also where the site sets its thousands apart: they are names, and values of forms."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('lifecycle_event', 'id'), 123456)")
    settings.USE_THOUSAND_SEPARATOR = True
    draft = Draft.objects.create(created_at=timezone.now())
    page = looker.get(f"{reverse('admin:lifecycle_row')}?row={named(draft)}").text
    assert ">123457</a>" in page
    assert "123,457" not in page


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["why"], ["holds"], ["report"], ["verify"], ["requests"],
     ["concept", "--language", "en"], ["concept", "--json"], ["status", "--json"]],
)  # fmt: skip
def test_commands_speak_english_whatever_the_site_does(arguments: list[str], settings: Any) -> None:
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    hold(draft, reason="x")
    run_due()
    arguments = [*arguments, named(draft)] if arguments == ["why"] else arguments
    before = said(*arguments)
    settings.LANGUAGE_CODE = "de"
    with override("de"):
        assert without_times(said(*arguments)) == without_times(before)


def without_times(text: str) -> str:
    return "".join(letter for letter in text if not letter.isdigit())


def test_the_concept_in_german() -> None:
    text = said("concept", "--language", "de")
    assert text.startswith("# Löschkonzept\n")
    assert "Startzeitpunkt" in text
    assert "nicht entschieden" in text
    page = said("concept", "--format", "html", "--language", "de")
    assert '<html lang="de">' in page
    assert '<tr class="undecided">' in page
    data = json.loads(said("concept", "--format", "json", "--language", "de"))
    assert {each["rule"] for each in data["entries"]} >= {"ends", "undecided"}


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_mail_in_german(kind: str) -> None:
    alert = Alert(
        kind={"media": "blocked", "lagging_media": "lagging"}.get(kind, kind),
        policy="" if kind in ("media", "lagging_media", "overdue", "proof_alarm") else "drafts",
        model="zoo.draft", cause="", summary="x", count=2,
        ended_at=datetime(2030, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    with override("de"):
        told = f"{subject(alert)}\n{body(alert, 'default')}"
    english = f"{subject(alert)}\n{body(alert, 'default')}"
    assert told != english
    assert "Nachsehen:\n" in told
    assert "Diese Mail kommt spät: Seit 02.01.2030 00:00:00 UTC geht es weiter." in told
    assert [line for line in told.splitlines() if line.startswith("    manage.py")] == [
        line for line in english.splitlines() if line.startswith("    manage.py")
    ]


def test_a_lag_is_german_within_a_german_sentence() -> None:
    late = timedelta(days=2, hours=3)
    alert = Alert(kind="lagging", policy="drafts", model="zoo.draft", summary=f"due for {late}")
    assert "wait to end, due for 2 days, 3:00:00 now." in body(alert, "default")
    with override("de"):
        assert "warten auf ihr Ende, jetzt 2 Tage, 3:00:00 im Rückstand." in body(alert, "default")


def test_a_report_is_sent_in_the_sites_language(settings: Any) -> None:
    Person.objects.create(name="Ann")
    settings.LANGUAGE_CODE = "de"
    send_report(reports(7), "a@example.com")
    (sent,) = mail.outbox
    assert sent.subject.startswith("Aufbewahrung: ")
    assert "Löschregel" in str(sent.body)
    send_report(reports(7), "a@example.com", language="en")
    assert mail.outbox[1].subject.startswith("Retention: ")
    with override("de"):
        assert '<html lang="de">' in as_html(reports(7))
