"""The agenda by due time over all policies, and what the policies' list says of it."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle.admin.agenda import AgendaEntryAdmin
from lifecycle.models import AgendaEntry, PolicyState
from tests.lifecycle.admin.test_admin import url
from tests.lifecycle.admin.test_admin_row import client_of
from tests.zoo.models import Coupon, Draft, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = (Coupon, Draft, Session, Ticket, Token)
VIEWS = [f"view_{model._meta.model_name}" for model in TABLES]
LOOKS = ("view_agendaentry", "view_policystate", "retry_row", *VIEWS)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Entries of some policies, in turn, and who sees four of them a page."""
    monkeypatch.setattr(AgendaEntryAdmin, "list_per_page", 4)
    write(3)
    return client_of(*LOOKS)


def write(rows: int) -> None:
    for hours in range(1, rows + 1):
        due = timezone.now() + timedelta(hours=hours)
        Coupon.objects.create(code=f"c{due}", expires_at=due)
        Ticket.objects.create(expires_at=due + timedelta(minutes=1))
        Token.objects.create(expires_at=due + timedelta(minutes=2))
        Draft.objects.create(created_at=timezone.now())


def numbers(client: Client, **query: object) -> list[int]:
    text = client.get(url(AgendaEntry, "changelist"), query).text
    return [int(each) for each in re.findall(r'name="_selected_action" value="(\d+)"', text)]


def earliest(**which: object) -> list[int]:
    rows = AgendaEntry.objects.filter(**which).order_by("due_at", "pk")
    return [*rows.values_list("pk", flat=True)]


def test_pages_have_the_earliest_of_all_policies(client: Client) -> None:
    entries = earliest()
    assert len({*AgendaEntry.objects.values_list("policy", flat=True)}) > 3
    pages = [numbers(client, p=page) for page in range(1, -(-len(entries) // 4) + 1)]
    assert [number for page in pages for number in page] == entries
    assert numbers(client, p=99) == pages[-1]


def test_filters_keep_the_order(client: Client) -> None:
    assert numbers(client, policy="tickets") == earliest(policy="tickets")
    assert len(earliest(policy="tickets")) == 3
    assert numbers(client, blocked="yes") == []


@pytest.mark.slow
def test_as_many_questions_for_few_as_for_many(client: Client) -> None:
    lists = [url(AgendaEntry, "changelist"), url(PolicyState, "changelist")]

    def asked() -> list[int]:
        counts = []
        for address in lists:
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            counts.append(len(queries))
        return counts

    asked()
    few = asked()
    write(10)
    assert asked() == few


def test_policies_say_what_the_agenda_lists(client: Client) -> None:
    text = client.get(url(PolicyState, "changelist"), {"q": "tickets"}).text
    cells = dict(re.findall(r'class="field-(\w+)">([^<]*)<', text))
    first = AgendaEntry.objects.filter(policy="tickets").earliest("due_at")
    assert (cells["scheduled"], cells["due"]) == ("3", "0")
    assert cells["next_due"] == f"{timezone.localtime(first.due_at):%Y-%m-%d %H:%M:%S}"
