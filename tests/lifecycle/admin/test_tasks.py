"""What each role comes for, five tasks each, by the keyboard alone.

As docs/how-to/work-in-the-admin.md says it, by members of the groups that
`manage.py lifecycle roles --create` makes.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import purge
from demo.models import User
from lifecycle import hold
from lifecycle.ledger.row_names import named
from lifecycle.management.groups import make_groups
from lifecycle.models import AgendaEntry, Event, PolicyState
from purge.models import Forecast, Plan, Request
from purge.plans.carry_out import carry_out, waiting
from purge.runner import run_due
from tests.clock import pass_time
from tests.lifecycle.admin.scene import list_of
from tests.lifecycle.admin.visiting import Browsing, Visit
from tests.zoo.models import Contract, Draft, Person, Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
VIEWED = ("view_draft", "view_token", "view_person", "view_contract", "view_bill")
Walk = Callable[[str, Callable[[Visit], Any]], None]


@pytest.fixture
def walk(browser: Browsing, live_server: Any) -> Walk:
    """Lets a member of a role do something in the browser; nothing may be wrong on the way."""
    make_groups()

    def as_role(role: str, act: Callable[[Visit], Any]) -> None:
        def go(visit: Visit) -> None:
            act(visit)
            assert visit.wrong == []

        browser.visited(live_server.url, member(role), go)

    return as_role


def member(role: str) -> Client:
    """Somebody of a role, who may view some of the site's rows."""
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=f"retention {role}"))
    user.user_permissions.set(Permission.objects.filter(codename__in=VIEWED))
    client = Client()
    client.force_login(user)
    return client


def tokens() -> Any:
    later = timezone.now() + timedelta(days=3)
    Token.objects.bulk_create(Token(expires_at=later, label=each) for each in ("a", "a", "b"))
    return Token.objects.filter(label="a")


def tick(visit: Visit, value: Any, action: str) -> None:
    """In a list: tick a row, choose what is done with it, and go."""
    visit.focus(f'[name=_selected_action][value="{value}"]')
    visit.page.keyboard.press("Space")
    visit.focus("select[name=action]")
    visit.page.keyboard.type(action)
    visit.focus("button[name=index]")
    with visit.page.expect_navigation():
        visit.page.keyboard.press("Enter")


def choose(visit: Visit, name: str, text: str) -> None:
    """In a choice, by typing what it says."""
    visit.write(name, text)
    said = "each => document.querySelector(`[name=${each}]`).selectedOptions[0].text"
    assert visit.page.evaluate(said, name).startswith(text)


def submit(visit: Visit, value: str, says: str) -> None:
    """Press a button, and wait for what the next page says."""
    visit.focus(f'input[type=submit][value="{value}"]')
    with visit.page.expect_navigation():
        visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(f"text={says}")


def disabled(visit: Visit, value: str) -> bool:
    return bool(visit.page.locator(f'input[value="{value}"]').is_disabled())


def plan_of(visit: Visit, act: str) -> None:
    """Makes a plan for tokens that are called a."""
    visit.open(reverse("admin:purge_plan_add"))
    choose(visit, "model", "zoo.Token")
    choose(visit, "act", act)
    submit(visit, "Go on", "Nothing is done yet")
    choose(visit, "column0", "label")
    visit.write("value0", "a")
    visit.write("reason", "a claim")
    submit(visit, "Make the plan", "2 rows of zoo.Token")


def test_an_operator(walk: Walk) -> None:
    """Sees what is wrong, tries blocked rows again, stops a policy, lets it go on, looks ahead."""
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    contract = Contract.objects.create(draft=draft)
    run_due()
    pass_time(hours=2)
    run_due()
    contract.delete()
    tokens()

    def act(visit: Visit) -> None:
        page = visit.open("/admin/")
        visit.follow('a[href="/admin/lifecycle/"]', "**/admin/lifecycle/")
        page.wait_for_selector("text=cannot end: their")
        visit.follow('a[href*="policy=drafts&blocked=yes"]', "**/agendaentry/?policy=drafts*")
        entry = page.locator("[name=_selected_action]").first.get_attribute("value")
        tick(visit, entry, "Try")
        page.wait_for_selector("text=Due now: 1 rows of drafts")
        for action, says in (("Pause", "Paused: tokens."), ("Resume", "Resumed: tokens.")):
            visit.open(list_of(PolicyState))
            tick(visit, "tokens", action)
            page.wait_for_selector(f"text={says}")
        visit.open(reverse("admin:purge_forecast_ahead"))
        until = timezone.localtime() + timedelta(days=5)
        visit.write("until", f"{until:%m%d%Y}")
        page.keyboard.press("Tab")
        page.keyboard.type(f"{until:%I%M%p}")
        choose(visit, "policy", "tokens")
        submit(visit, "Look ahead", "3, at most 3 a day")
        submit(visit, "Keep this forecast", "days of it are over")

    walk("operator", act)
    assert AgendaEntry.objects.get(policy="drafts").due_at <= timezone.now()
    assert Forecast.objects.get().actor == "operator"
    assert Event.objects.filter(policy="tokens", kind="resumed", actor="operator").exists()


def test_an_officer(walk: Walk, tmp_path: Path) -> None:
    """Holds and releases a row; opens, extends, answers a request; exports; plans and applies."""
    draft = Draft.objects.create(created_at=timezone.now())
    hold(row := Person.objects.create(name="Ann"), reason="court")
    tokens()

    def row_of(visit: Visit) -> None:
        page = visit.open(reverse("admin:lifecycle_row"))
        visit.focus("#row")
        page.keyboard.type(named(draft))
        page.keyboard.press("Enter")
        page.wait_for_selector("text=What each policy means for it now")
        submit(visit, "Hold", "Nothing ends the row")
        visit.write("reason", "a request by letter")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=HELD (hold")
        assert page.locator(".lc-span-held").count() >= 1
        submit(visit, "Release", "Lifts every hold")
        submit(visit, "Release", "Released:")

    def request(visit: Visit) -> None:
        page = visit.open(reverse("admin:purge_request_add"))
        visit.write("row", named(row))
        visit.write("reference", "DSR-1")
        submit(visit, "Look", "It would wait")
        submit(visit, "Open the request", "Receipt")
        for step, button in (("Extend", "Extend"), ("Answer", "Answer")):
            submit(visit, step, "The person is told why")
            visit.write("reason", "a court's hold")
            submit(visit, button, f"{step.lower()} is recorded")
        assert disabled(visit, "Answer")
        submit(visit, "Export", "Look at it before you send it")
        visit.focus('input[type=submit][value="Export"]')
        with page.expect_download() as sent:
            page.keyboard.press("Enter")
        sent.value.save_as(tmp_path / "export.zip")

    def plan(visit: Visit) -> None:
        plan_of(visit, "hold")
        submit(visit, "Apply", "exactly as it was planned")
        visit.write("rows", "2")
        submit(visit, "Apply", "apply is recorded")

    walk("officer", lambda visit: (row_of(visit), request(visit), plan(visit)))
    assert (tmp_path / "export.zip").read_bytes()[:2] == b"PK"
    kinds = Event.objects.filter(actor="officer").values_list("kind", flat=True)
    assert {"hold_placed", "hold_released", "planned"} <= set(kinds)
    assert Request.objects.get().answer == "a court's hold"
    for number in waiting("default"):
        carry_out(number)
    assert Plan.objects.get().acted == 2


def test_counsel(walk: Walk) -> None:
    """Holds a row, sees what is held and by whom, plans a hold, approves a plan, lifts a hold."""
    draft = Draft.objects.create(created_at=timezone.now())
    made = purge.plan("release", tokens_held(), "over", actor="ann")

    def act(visit: Visit) -> None:
        page = visit.open(f"{reverse('admin:lifecycle_row')}?row={named(draft)}")
        assert disabled(visit, "Restore")
        page.wait_for_selector("text=Needs the permission lifecycle.restore_row")
        submit(visit, "Hold", "Nothing ends the row")
        visit.write("reason", "litigation")
        visit.write("reference", "CASE-9")
        submit(visit, "Hold", "HELD (hold")
        plan_of(visit, "hold")
        assert disabled(visit, "Approve")
        assert disabled(visit, "Apply")
        visit.open(reverse("admin:purge_plan_change", args=[made.pk]))
        submit(visit, "Approve", "Another person than its maker")
        submit(visit, "Approve", "approve is recorded")
        visit.open("/admin/lifecycle/")
        visit.follow('a[href*="kind__exact=hold"]', "**/rowexception/?kind__exact=hold")
        page.wait_for_selector("text=CASE-9")
        first = page.locator("tr", has_text="CASE-9").locator("[name=_selected_action]")
        tick(visit, first.get_attribute("value"), "Release")
        page.wait_for_selector("text=Released:")

    walk("counsel", act)
    made.refresh_from_db()
    assert made.approver == "counsel"
    assert Plan.objects.filter(act="hold", maker="counsel").exists()
    assert Event.objects.filter(kind="hold_released", actor="counsel").exists()


def tokens_held() -> Any:
    rows = tokens()
    for each in rows:
        hold(each, reason="x")
    return rows


def test_a_viewer(walk: Walk) -> None:
    """Reads how all stands, a row's life, what a policy did, what is overdue, and a plan."""
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    run_due()
    hold(person := Person.objects.create(name="Ann"), reason="court")
    received = timezone.now() - timedelta(days=40)
    purge.request_erasure(person, "DSR-1", actor="ann", received=received)
    made = purge.plan("hold", tokens(), "a claim", actor="ann")

    def act(visit: Visit) -> None:
        page = visit.open("/admin/lifecycle/")
        page.wait_for_selector("text=What ends next")
        page.wait_for_selector("text=Needs the permission lifecycle.pause_policy")
        visit.follow('a[href="/admin/lifecycle/event/"]', "**/lifecycle/event/")
        visit.follow('a[href$="/event/row/"]', "**/event/row/")
        visit.focus("#row")
        page.keyboard.type(named(draft))
        submit(visit, "Look", "Its life")
        assert disabled(visit, "Hold")
        visit.open(list_of(Event))
        visit.follow('a[href*="policy=drafts"]', "**policy=drafts*")
        page.wait_for_selector("text=tombstoned")
        visit.open(list_of(Request))
        visit.follow('a[href*="standing=overdue"]', "**standing=overdue*")
        visit.follow('a[href*="/purge/request/"][href*="/change/"]', "**/change/**")
        assert all(disabled(visit, each) for each in ("Try again", "Extend", "Answer", "Export"))
        visit.open(reverse("admin:purge_plan_change", args=[made.pk]))
        assert all(disabled(visit, each) for each in ("Approve", "Apply", "Withdraw"))

    walk("viewer", act)
    assert not Event.objects.filter(actor="viewer").exists()
    assert (Plan.objects.get().state, Request.objects.get().answer) == ("made", "")
