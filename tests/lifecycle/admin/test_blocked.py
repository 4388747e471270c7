"""Blocked rows with what blocks them, and "try again": an event with its actor."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from psycopg.errors import InsufficientPrivilege

from demo.models import User
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.retries import try_again
from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.clock import pass_time
from tests.lifecycle.admin.test_admin import url
from tests.lifecycle.admin.test_admin_row import client_of
from tests.support import session
from tests.zoo.models import Contract, Draft

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = ("view_agendaentry", "view_draft", "view_contract")


@pytest.fixture
def blocked() -> AgendaEntry:
    """A tombstoned draft whose grace is over, and that its contract protects."""
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    Contract.objects.create(draft=draft)
    run_due()
    pass_time(hours=2)
    run_due()
    return AgendaEntry.objects.get(event__kind="blocked")


def page(client: Client) -> str:
    return client.get(url(AgendaEntry, "changelist"), {"blocked": "yes"}).text


def press(client: Client, entry: AgendaEntry) -> Any:
    given = {"action": "retry_entries", "_selected_action": entry.pk}
    return client.post(url(AgendaEntry, "changelist"), given, follow=True)


def test_they_are_listed_with_what_blocks_them(blocked: AgendaEntry) -> None:
    Draft.objects.create(created_at=timezone.now())
    text = page(client_of(*LOOKS))
    assert f"ProtectedError: zoo.Contract:{Contract.objects.get().pk}" in text
    assert text.count('name="_selected_action"') + text.count('class="field-policy') == 1
    hidden = page(client_of("view_agendaentry", "view_draft", name="other"))
    assert "ProtectedError: a row of zoo.Contract" in hidden


def test_tried_again_they_end_once_nothing_is_in_the_way(blocked: AgendaEntry) -> None:
    tombstone = blocked.tombstone
    assert tombstone
    operator = client_of(*LOOKS, "retry_row", name="op")
    Contract.objects.all().delete()
    run_due()
    assert Draft.objects.exists()  # its next try is minutes away
    assert "Due now: 1 rows of drafts" in press(operator, blocked).text
    (entry,) = AgendaEntry.objects.filter(policy="drafts")
    assert (entry.tombstone, entry.attempts, entry.event.actor) == (tombstone, 0, "op")
    assert entry.event.detail["relisted"] == "retried"
    run_due()
    assert not Draft.objects.exists()
    assert Event.objects.filter(kind="tombstoned").count() == 1  # no grace anew


def test_what_is_still_in_the_way_blocks_it_again(blocked: AgendaEntry) -> None:
    try_again(blocked.pk, "default")
    run_due()
    (again,) = AgendaEntry.objects.filter(policy="drafts")
    assert (again.event.kind, again.attempts) == ("blocked", 1)
    assert again.pk != blocked.pk


@pytest.mark.slow
def test_a_replayed_press_is_refused(blocked: AgendaEntry) -> None:
    operator = client_of(*LOOKS, "retry_row", name="op")
    try_again(blocked.pk, "default")
    events = Event.objects.count()
    press(operator, blocked)
    assert Event.objects.count() == events
    with pytest.raises(LifecycleError, match="lists no blocked rows any more"):
        try_again(blocked.pk, "default")


def test_it_takes_the_permission_and_the_sight_of_the_rows(blocked: AgendaEntry) -> None:
    for client in (client_of(*LOOKS, name="a"), client_of("view_agendaentry", "retry_row")):
        before = Event.objects.count()
        press(client, blocked)
        assert Event.objects.count() == before
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    assert press(strict, blocked).status_code == 403


def test_only_what_is_blocked_can_be_tried_again() -> None:
    Draft.objects.create(created_at=timezone.now())
    entry = AgendaEntry.objects.get()
    with pytest.raises(LifecycleError):
        try_again(entry.pk, "default")
    assert AgendaEntry.objects.get() == entry


def test_one_that_a_worker_is_at_is_left_to_it(blocked: AgendaEntry) -> None:
    with session() as other:
        lock = "SELECT FROM lifecycle_agenda WHERE event_id = %s FOR UPDATE"
        other.execute(lock, [blocked.pk])
        with pytest.raises(LifecycleError, match="a worker is at them"):
            try_again(blocked.pk, "default")


def test_a_role_that_may_not_end_the_rows_may_not_have_them_tried(blocked: AgendaEntry) -> None:
    with session() as other:
        other.execute("CREATE ROLE tries_again")
        other.execute("GRANT USAGE ON SCHEMA lifecycle TO tries_again")
        other.execute("GRANT EXECUTE ON FUNCTION lifecycle.retry_v1 TO tries_again")
        other.execute("SET LOCAL ROLE tries_again")
        with pytest.raises(InsufficientPrivilege, match=r"write the rows of zoo\.draft"):
            other.execute("SELECT lifecycle.retry_v1(%s)", [blocked.pk])
        other.rollback()
    assert AgendaEntry.objects.filter(pk=blocked.pk).exists()
