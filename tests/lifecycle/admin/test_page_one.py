"""Page one: is it well, what ends next, what is stuck, what is held, what may I do?"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import ProgrammingError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import purge
from lifecycle import hold
from lifecycle.admin import page_one
from lifecycle.db.connection import fetch
from lifecycle.insight import overview, status
from lifecycle.ledger import policy_states
from lifecycle.models import PolicyState
from purge.alerts import watch
from purge.models import Alert
from purge.runner import run_due
from tests.clock import pass_time
from tests.lifecycle.admin.test_admin import NASTY, looker
from tests.lifecycle.admin.test_admin_row import client_of
from tests.zoo.models import Contract, Coupon, Draft, Person

__all__ = ["looker"]
HALTED = """SELECT lifecycle.write_v1('halted', 'tickets', 'zoo.ticket', NULL, 0, NULL, NULL, NULL,
    '{"state": "halted", "cause": "cap"}', NULL)"""
pytestmark = pytest.mark.django_db(transaction=True)
EVERY = ("view_policystate", "view_event", "view_agendaentry", "view_rowexception")


def page(client: Client) -> str:
    return client.get("/admin/lifecycle/").text


def cells(text: str, policy: str) -> list[str]:
    """The cells of a policy's line, without tags."""
    rows = re.findall(r"<tr.*?</tr>", text, re.S)
    row = next(each for each in rows if f">{policy}</a>" in each)
    return [
        " ".join(re.sub("<.*?>", " ", each).split())
        for each in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)
    ]


def test_it_is_linked_from_the_index_and_says_that_all_is_well(looker: Client) -> None:
    watch.watch("default")
    assert f'href="{reverse("admin:app_list", args=["lifecycle"])}"' in looker.get("/admin/").text
    text = page(looker)
    assert "All is well" in text
    assert "by the database&#x27;s clock" in text or "by the database's clock" in text
    assert cells(text, "tokens")[1] == "enabled"
    assert "Purged: 25, at most 25 a day" in text
    assert NASTY not in text
    assert "style=" not in text.split('<div class="lifecycle">')[1].split("</svg>")[0]


def test_what_is_wrong_comes_first_with_what_to_do(looker: Client) -> None:
    watch.watch("default")
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    Contract.objects.create(draft=draft)
    run_due()
    pass_time(hours=2)
    run_due()
    watch.watch("default")
    fetch("default", HALTED)
    text = page(looker)
    assert "2 things want somebody" in text
    assert "1 rows cannot end: their <code>blocked</code> events say why" in text
    assert "<code>manage.py lifecycle resume tickets --actor NAME</code>" in text
    assert cells(text, "drafts")[5] == "1"
    assert "?policy=drafts&amp;blocked=yes" in text
    first = re.findall(r'<th scope="row"><a[^>]*>([^<]*)', text)[:2]
    assert sorted(first) == ["drafts", "tickets"]


@pytest.mark.slow
def test_a_worker_that_does_not_look_is_missed(looker: Client) -> None:
    Alert.objects.all().delete()
    assert "No worker has been here yet" in page(looker)
    watch.watch("default")
    assert "All is well" in page(looker)
    pass_time(hours=1)
    text = page(looker)
    assert "None has looked since" in text
    assert "1 thing wants somebody" in text


@pytest.mark.slow
def test_a_stop_of_everything_is_said(looker: Client) -> None:
    policy_states.change_all(policy_states.PAUSE, actor="jo")
    assert "All policies are paused" in page(looker)


@pytest.mark.slow
def test_what_one_may_not_do_is_greyed_with_why(looker: Client) -> None:
    text = page(client_of("view_policystate", "pause_policy", name="op"))
    assert 'href="/admin/lifecycle/policystate/?state__exact=enabled">Pause a policy</a>' in text
    assert re.search(
        r'class="lc-not"><span aria-disabled="true">Hold a row</span> <span class="lc-why">'
        r"Needs the permission lifecycle.hold_row and lifecycle.view_event",
        text,
    )
    assert "Rows a day, 90 days" in text
    assert "lc-chart" not in text
    assert "takes the permission <code>lifecycle.view_rowexception" in text


def test_who_may_view_no_policy_sees_none() -> None:
    text = page(client_of("view_event", name="reader"))
    assert "shown to those with the permission <code>lifecycle.view_policystate" in text
    assert "tokens" not in text
    assert "What you may do" in text
    assert client_of(name="nobody").get("/admin/lifecycle/").status_code == 404
    assert Client().get("/admin/lifecycle/").status_code == 302


def test_a_held_row_that_is_gone_is_named_to_whom_may_view_it() -> None:
    coupon = Coupon.objects.create(code=NASTY, expires_at=timezone.now() + timedelta(days=1))
    hold(coupon, reason="x")
    coupon.delete()
    mine = page(client_of(*EVERY, "view_coupon", name="may"))
    assert "the latest is zoo.coupon:&lt;script&gt;alert(1)" in mine
    other = page(client_of(*EVERY, name="not"))
    assert "the latest is a row of zoo.coupon" in other
    assert "alert(1)" not in other


def test_an_empty_site_is_told_what_to_do(looker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (overview, status):
        monkeypatch.setattr(module, "all_policies", list)
    PolicyState.objects.all().delete()
    text = page(looker)
    assert "No policy yet" in text
    assert "manage.py lifecycle enable NAME" in text


def test_a_database_that_cannot_be_asked(looker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> Any:
        raise ProgrammingError("no such function")

    monkeypatch.setattr(page_one, "overview", broken)
    text = page(looker)
    assert (
        "tables or functions of the package are missing or changed: run <code>manage.py migrate"
        in text
    )


@pytest.mark.slow
def test_requests_and_plans_are_parts_of_it(looker: Client) -> None:
    text = page(looker)
    assert "None for an erasure is open." in text
    assert "None waits." in text
    hold(row := Person.objects.create(name="Ann"), reference="case")
    purge.request_erasure(row, "DSR-1", actor="ann")
    purge.plan("release", Person.objects.all(), reason="over", actor="jo")
    text = page(looker)
    assert "Open: 1, the first due" in text
    assert "1 to apply." in text
    assert "OVERDUE" not in text
    pass_time(days=31)
    text = page(looker)
    assert "1 OVERDUE" in text
    assert "DSR-1" not in text
    assert "None waits." in text, "a plan may be applied for seven days"


def test_what_may_be_done_with_plans_has_permissions_of_its_own() -> None:
    text = page(client_of("view_policystate", "view_plan", "apply_plan"))
    assert "Needs the permission purge.approve_plan." in text
    assert ">Apply a plan</a>" in text
    assert ">Approve a plan</a>" not in text
