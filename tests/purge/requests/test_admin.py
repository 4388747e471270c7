"""Requests in the admin: docs/how-to/answer-an-erasure-request.md#in-the-admin."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.db import ProgrammingError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import purge
from demo.models import User
from lifecycle import hold, release, restore
from lifecycle.admin import own_pages
from lifecycle.db.rows import home
from lifecycle.models import Event
from purge.erasure.receipt import Receipt
from purge.models import Request
from purge.requests import ask, new, subject, tries
from purge.requests.seen import receipt_text
from purge.requests.steps import STEPS
from tests.lifecycle.admin.test_admin_row import client_of, queries
from tests.support import let_pass, run_until_idle
from tests.zoo.models import Bill, Person

pytestmark = pytest.mark.django_db(transaction=True)
DEEDS = ("add_request", "extend_request", "answer_request", "export_subject")
LOOKS = ("view_request", "view_person", "view_event")
NASTY = '"><script>alert(1)</script>'
LIST = "admin:purge_request_changelist"


def person(name: str = "Ann") -> Person:
    return Person.objects.create(name=name)


def waiting(reference: str = "DSR-1", **how: Any) -> Request:
    """One that a hold refuses."""
    hold(row := person(), reason="court", reference="C-1")
    return purge.request_erasure(row, reference, actor="ann", **how)


def at(found: Request, page: str = "change") -> str:
    return reverse(f"admin:purge_request_{page}", args=[found.pk])


@pytest.fixture
def officer() -> Client:
    return client_of(*LOOKS, *DEEDS, "view_bill", "view_rowexception")


def test_what_would_go_is_shown_before_it_is_opened(officer: Client) -> None:
    given = {"row": f"zoo.Person:{person().pk}", "reference": "DSR-7", "grace": "0"}
    place = reverse("admin:purge_request_add")
    assert "as app.Model:pk" in officer.get(place).text
    page = officer.post(place, given)
    assert "What would go" in page.text
    assert "DSR-7" in page.text
    assert Person.objects.exists()
    assert not Request.objects.exists()
    page = officer.post(place, given | {"confirmed": "Open the request"}, follow=True)
    assert not Person.objects.exists()
    found = Request.objects.get()
    assert (found.actor, found.reference) == ("jo", "DSR-7")
    assert found.done_at is not None
    assert f"{found.reference}: zoo.Person" in page.text
    assert "deleted" in page.text
    assert "its certificate" in page.text


def test_a_hold_is_said_before_and_the_request_waits(officer: Client) -> None:
    hold(row := person(), reason="court", reference="C-1")
    given = {"row": f"zoo.Person:{row.pk}", "reference": "DSR-7"}
    place = reverse("admin:purge_request_add")
    assert "It would wait" in officer.post(place, given).text
    text = officer.post(place, given | {"confirmed": "yes"}, follow=True).text
    assert "court" in text
    assert Person.objects.exists()
    assert "<dd>waits</dd>" in text


def test_what_cannot_be_asked_for(officer: Client) -> None:
    place = reverse("admin:purge_request_add")
    given = {"row": f"zoo.Person:{person().pk}", "reference": "DSR-7", "confirmed": "yes"}
    for more, says in (
        ({"row": "zoo.Person:999"}, "is not in the database"),
        ({"row": "zoo.Person"}, "write app.Model:pk"),
        ({"row": "zoo.Token:1"}, "You may not view zoo.Token"),
        ({"grace": "soon"}, "Write 0, 90s, 30m, 12h or 7d"),
        ({"grace": "9" * 30 + "w"}, "Write 0, 90s, 30m, 12h or 7d"),
        ({"grace": "900d"}, "is longer than"),
        ({"received": "2100-01-01T10:00"}, "yet to come"),
        ({"reference": "\0"}, "Null characters are not allowed"),
    ):
        assert says in officer.post(place, given | more).text, more
    assert not Request.objects.exists()


def test_opened_twice_is_one(officer: Client) -> None:
    hold(row := person(), reason="court")
    given = {"row": f"zoo.Person:{row.pk}", "reference": "DSR-7", "confirmed": "yes"}
    for _ in range(2):
        officer.post(reverse("admin:purge_request_add"), given)
    assert Request.objects.count() == 1


def test_where_the_role_may_not_erase_the_worker_does(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docs/how-to/roles.md: a web process has no rights of the worker."""

    class Refused(Exception):
        sqlstate = "42501"

    def denied(*args: Any) -> Any:
        raise ProgrammingError("permission denied for function write_v1") from Refused()

    given = {"row": f"zoo.Person:{person().pk}", "reference": "DSR-7", "grace": "0"}
    place = reverse("admin:purge_request_add")
    with monkeypatch.context() as patch:
        patch.setattr(new, "erase_key", denied)
        patch.setattr(tries, "erase_key", denied)
        assert new.UNSEEN in officer.post(place, given).text
        text = officer.post(place, given | {"confirmed": "yes"}, follow=True).text
        assert "DSR-7" in text
        assert Request.objects.get().done_at is None
    ask.retry()
    assert not Person.objects.exists()


def test_extended_once_and_answered_once(officer: Client) -> None:
    found = waiting()
    due = found.due_at
    for _ in range(2):
        text = officer.post(at(found, "extend"), {"reason": "forty at once"}, follow=True).text
    assert "was extended before: that is done once" in text
    found.refresh_from_db()
    assert found.due_at > due + timedelta(days=50)
    assert "forty at once" in officer.get(at(found)).text
    assert "This field is required" in officer.post(at(found, "answer"), {}).text
    for _ in range(2):
        text = officer.post(at(found, "answer"), {"reason": "Article 17(3)(e)"}, follow=True).text
    assert f"Request {found.pk} is closed" in text
    found.refresh_from_db()
    assert found.answer == "Article 17(3)(e)"
    assert officer.get(at(found)).text.count("The request is closed.") == 3


def test_it_is_tried_again(officer: Client) -> None:
    found = waiting(grace=timedelta(0))
    release(Person.objects.get())
    officer.post(at(found, "try"))
    assert not Person.objects.exists()
    assert "is closed" in officer.post(at(found, "try")).text


def test_a_row_that_was_restored_is_ended_when_a_person_asks_again(officer: Client) -> None:
    found = purge.request_erasure(row := person(), "DSR-1", actor="ann")
    restore(row)
    ask.retry()
    assert "was restored since" in officer.get(at(found)).text
    officer.post(at(found, "try"))
    assert "<dd>under way</dd>" in officer.get(at(found)).text


def names(client: Client, standing: str) -> list[str]:
    text = client.get(reverse(LIST), {"standing": standing}).text
    return [each for each in ("DSR-A", "DSR-B", "DSR-C", "DSR-D") if each in text]


@pytest.mark.slow
def test_the_filters(officer: Client) -> None:
    late = waiting("DSR-A", received=timezone.now() - timedelta(days=40))
    waiting("DSR-B")
    purge.answer_request(waiting("DSR-C").pk, "told", "ann")
    purge.request_erasure(person(), "DSR-D", actor="ann", grace=timedelta(0))
    assert names(officer, "open") == ["DSR-A", "DSR-B"]
    assert names(officer, "overdue") == ["DSR-A"]
    assert names(officer, "answered") == ["DSR-C"]
    assert names(officer, "done") == ["DSR-D"]
    text = officer.get(reverse(LIST)).text
    assert text.index("DSR-A") < text.index("DSR-B") < text.index("DSR-C")
    assert "OVERDUE, waits" in text
    assert "<strong>OVERDUE</strong>" in officer.get(at(late)).text
    assert "DSR-B" not in officer.get(reverse(LIST), {"q": "DSR-A"}).text
    assert "DSR-B" not in officer.get(reverse(LIST), {"q": f"zoo.Person:{late.key}"}).text
    assert officer.get(reverse(LIST), {"q": "\0"}).status_code == 200


@pytest.mark.parametrize("name", list(STEPS))
def test_each_step_has_its_permission_and_says_so(name: str) -> None:
    found = waiting()
    permission = STEPS[name].permission
    others = [each for each in DEEDS if each != permission.partition(".")[2]]
    client = client_of(*LOOKS, *others, "view_bill")
    assert f"Needs the permission {permission}." in client.get(at(found)).text
    before = Event.objects.count()
    assert client.post(at(found, name), {"reason": "x"}).status_code == 403
    assert client.get(at(found, name)).status_code == 403
    found.refresh_from_db()
    assert (found.extension, found.answer, Event.objects.count()) == ("", "", before)


@pytest.mark.parametrize("name", [*STEPS, "add"])
def test_forged(officer: Client, name: str) -> None:
    found = waiting()
    officer.handler.enforce_csrf_checks = True
    place = reverse("admin:purge_request_add") if name == "add" else at(found, name)
    given = {"reason": "x", "row": f"zoo.Person:{found.key}", "reference": "y", "confirmed": "y"}
    assert officer.post(place, given).status_code == 403
    assert Request.objects.count() == 1


def test_only_to_whom_may_view_the_model() -> None:
    found = waiting()
    client = client_of("view_request", *DEEDS)
    assert "DSR-1" not in client.get(reverse(LIST)).text
    assert client.get(at(found)).status_code == 404
    for name in STEPS:
        assert client.post(at(found, name), {"reason": "x"}).status_code == 403
    assert client_of("view_person", *DEEDS, name="al").get(at(found)).status_code == 403
    assert client_of(*LOOKS, name="bo").get(reverse("admin:purge_request_add")).status_code == 403
    assert Client().get(at(found)).status_code == 302


def test_what_refuses_it_of_a_model_that_the_user_may_not_view() -> None:
    Bill.objects.create(person=(row := person()))
    found = purge.request_erasure(row, "DSR-1", actor="ann")
    assert "zoo.Bill" in found.waits_for
    text = client_of(*LOOKS).get(at(found)).text
    assert "zoo.Bill" not in text
    assert "of a model that you may not view" in text
    assert "zoo.Bill" in client_of(*LOOKS, "view_bill", name="al").get(at(found)).text


def test_a_receipt_without_models_that_the_user_may_not_view() -> None:
    request = client_of(*LOOKS).get("/admin/").wsgi_request
    receipt = Receipt("R", "zoo.Person:1", "visits", "jo", timezone.now(), 1, "purged")
    receipt = replace(receipt, cascade={"zoo.bill": 3, "zoo.person": 2}, media=["bill.pdf"])
    text = receipt_text(request, site, receipt)
    assert "2 zoo.person" in text
    assert "zoo.bill" not in text
    assert "bill.pdf" not in text
    assert "models that you may not view" in text
    may = client_of(*LOOKS, "view_bill", name="al").get("/admin/").wsgi_request
    assert "bill.pdf" in receipt_text(may, site, receipt)
    Bill.objects.create(person=(row := person()))
    given = {"row": f"zoo.Person:{row.pk}", "reference": "DSR-7"}
    clerk = client_of(*LOOKS, "add_request", name="bo")
    text = clerk.post(reverse("admin:purge_request_add"), given).text
    assert "It would wait" in text
    assert "zoo.Bill" not in text


def test_neither_what_would_refuse_it_nor_a_receipt_names_such_a_row() -> None:
    client = client_of(*LOOKS, *DEEDS)
    found = purge.request_erasure(row := person(), "DSR-1", actor="ann")
    Bill.objects.create(person=row)
    let_pass(timedelta(days=1))
    run_until_idle()
    Bill.objects.create(person=(other := person()))
    given = {"row": f"zoo.Person:{other.pk}", "reference": "DSR-2"}
    for text in (
        client.get(at(found)).text,
        client.post(reverse("admin:purge_request_add"), given).text,
    ):
        assert "zoo.Bill" not in text
        assert "of a model that you may not view" in text


def unzipped(answer: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as made:
        return {name: made.read(name) for name in made.namelist()}


def test_the_export(officer: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subject.tempfile, "tempdir", str(tmp_path))
    found = waiting()
    Bill.objects.create(person=Person.objects.get())
    assert officer.get(at(found, "export")).get("Content-Type") == "text/html; charset=utf-8"
    answer = officer.post(at(found, "export"))
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == f'attachment; filename="request-{found.pk}.zip"'
    assert "no-store" in answer["Cache-Control"]
    inside = unzipped(answer)
    answer.close()
    assert json.loads(inside["rows/zoo.Person.jsonl"])["name"] == "Ann"
    assert json.loads(inside["index.json"])["actor"] == "jo"
    assert list(tmp_path.iterdir()) == [], "the zip is kept nowhere"


def test_an_export_shows_no_model_that_the_user_may_not_view(tmp_path: Path) -> None:
    found = waiting()
    Bill.objects.create(person=Person.objects.get())
    client = client_of(*LOOKS, "export_subject")
    before = Event.objects.count()
    answer = client.post(at(found, "export"))
    assert "models that you may not view: zoo.Bill" in answer.text
    assert Event.objects.count() == before


def test_an_export_of_a_row_that_is_gone(officer: Client) -> None:
    found = purge.request_erasure(person(), "DSR-1", actor="ann", grace=timedelta(0))
    assert "The row is not in the database." in officer.get(at(found)).text
    assert "is not in the database" in officer.post(at(found, "export")).text


def test_an_export_is_of_nobody_who_has_come_to_the_key_since(officer: Client) -> None:
    found = purge.request_erasure(person(), "DSR-1", actor="ann", grace=timedelta(0))
    Person.objects.create(pk=int(found.key), name="Bob")
    answer = officer.post(at(found, "export"))
    assert "The row of this request is gone" in answer.text
    assert not Event.objects.filter(kind="exported").exists()


def test_hostile_names_and_reasons(officer: Client) -> None:
    hold(row := person(NASTY), reason=NASTY, reference=NASTY)
    given = {"row": f"zoo.Person:{row.pk}", "reference": NASTY}
    place = reverse("admin:purge_request_add")
    texts = [officer.post(place, given).text, officer.get(place, {"row": NASTY}).text]
    officer.post(place, given | {"confirmed": "yes"})
    found = Request.objects.get()
    officer.post(at(found, "extend"), {"reason": NASTY})
    texts += [officer.get(at(found)).text, officer.get(reverse(LIST)).text]
    texts += [officer.get(at(found, name)).text for name in STEPS]
    officer.post(at(found, "answer"), {"reason": NASTY})
    texts.append(officer.get(at(found)).text)
    assert [text for text in texts if "<script>alert" in text] == []


def test_a_request_whose_model_has_left_the_code(officer: Client) -> None:
    Request.objects.filter(pk=waiting().pk).update(model="zoo.nothing")
    found = Request.objects.get()
    assert "DSR-1" not in officer.get(reverse(LIST)).text
    client = client_of(name="boss")
    User.objects.filter(username="boss").update(is_superuser=True)
    assert "DSR-1" in client.get(reverse(LIST)).text
    assert "There is no model" in client.get(at(found)).text
    assert "There is no model" in client.post(at(found, "try")).text
    Request.objects.update(model="zoo.person")  # as its events say


@pytest.mark.slow
def test_the_number_of_questions_is_constant(officer: Client) -> None:
    found = waiting("DSR-0")
    pages = [reverse(LIST), at(found), reverse("admin:purge_request_add")]
    for page in pages:  # what is asked once a process
        officer.get(page)
    first = [queries(officer, page) for page in pages]
    for number in range(29):
        waiting(f"DSR-{number + 1}")
    let_pass(timedelta(seconds=1))
    assert [queries(officer, page) for page in pages] == first


def test_under_atomic_requests(officer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert home(Person) == "default"
    given = {"row": f"zoo.Person:{person().pk}", "reference": "DSR-7", "confirmed": "yes"}
    officer.post(reverse("admin:purge_request_add"), given)
    assert Request.objects.get().reference == "DSR-7"


def test_a_row_of_another_database_than_the_list_is_not_asked_for_here(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"row": f"zoo.Person:{person().pk}", "reference": "DSR-7", "confirmed": "yes"}
    monkeypatch.setattr(own_pages, "home", lambda model: "second")
    text = officer.post(reverse("admin:purge_request_add"), given).text
    assert "zoo.Person is in the database &#x27;second&#x27;" in text
    assert Person.objects.exists()
    assert not Request.objects.exists()


def test_each_event_says_that_it_came_from_the_admin(officer: Client) -> None:
    given = {"row": f"zoo.Person:{person().pk}", "reference": "DSR-7", "confirmed": "yes"}
    officer.post(reverse("admin:purge_request_add"), given)
    restore(Person.objects.get())
    found = Request.objects.get()
    officer.post(at(found, "export")).close()
    officer.post(at(found, "try"))
    told = Event.objects.filter(kind__in=("requested", "expired_by_hand", "exported"))
    assert [(each.kind, each.actor, each.cause) for each in told.order_by("pk")] == [
        (kind, "jo", "admin")
        for kind in ("requested", "expired_by_hand", "exported", "requested", "expired_by_hand")
    ]
