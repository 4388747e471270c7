"""A plan made in the admin: docs/how-to/act-on-many-rows.md#in-the-admin."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.admin import EmailSuppressionAdmin
from demo.factories.systems import EmailSuppressionFactory
from lifecycle import holds
from lifecycle.admin import LifecycleAdminMixin, own_pages
from lifecycle.admin.mixin import lifecycle_plan
from lifecycle.models import Event
from purge.models import Plan
from purge.plans import new
from tests.lifecycle.admin.test_admin_row import client_of, queries
from tests.mailing import ADMINS
from tests.security.roles import roles_of_a_site
from tests.zoo.models import Coupon, Draft, Person, Token

pytestmark = pytest.mark.django_db(transaction=True)
MAKES = ("view_plan", "add_plan", "hold_row", "release_row", "restore_row", "purge_row")
SECRET = "ann@example.com"
NASTY = '"><script>alert(1)</script>'


@pytest.fixture
def officer() -> Client:
    return client_of(*MAKES, "view_token", "view_coupon", "view_draft", "view_person")


def tokens(*labels: str) -> list[Token]:
    later = timezone.now() + timedelta(days=9)
    return [Token.objects.create(expires_at=later, label=each) for each in labels]


def address(act: str = "hold", model: str = "zoo.Token") -> str:
    return f"{reverse('admin:purge_plan_add')}?model={model}&act={act}"


def filled(column: str = "label", lookup: str = "exact", value: str = "a", **more: Any) -> Any:
    given = {"column0": column, "lookup0": lookup, "value0": value, "reason": "a claim"}
    return {"once": str(uuid.uuid4()), **given, **more}


def test_it_is_written_down_and_nothing_is_done(officer: Client) -> None:
    tokens("a", "a", "b")
    assert "column of condition 1" in officer.get(address()).text
    page = officer.post(address(), filled(), follow=True)
    plan = Plan.objects.get()
    assert (plan.act, plan.rows, plan.maker, plan.asked) == (
        *("hold", 2, "jo"),
        [["label__exact", "a"]],
    )
    assert page.redirect_chain[0][0] == reverse("admin:purge_plan_change", args=[plan.pk])
    assert "Hold 2 rows of zoo.Token" in page.text
    assert "zoo.Token:" in page.text
    event = Event.objects.get(pk=plan.made)
    assert (event.actor, event.cause) == ("jo", "admin")
    assert holds() == []


def test_purge_shows_what_would_go(officer: Client) -> None:
    later = timezone.now()
    Draft.objects.create(created_at=later)
    page = officer.post(address("purge", "zoo.Draft"), filled("status", value="draft"), follow=True)
    assert "of the first 1" in page.text
    assert Draft.objects.exists()


def test_until_and_policy_are_asked_for_where_the_act_takes_them(officer: Client) -> None:
    tokens("a")
    assert 'name="until"' in officer.get(address("extend")).text
    assert 'name="policy"' in officer.get(address("extend")).text
    assert 'name="until"' not in officer.get(address("release")).text
    assert "This field is required" in officer.post(address("extend"), filled()).text
    past = filled(until="2020-01-01T10:00")
    assert "This date has passed" in officer.post(address("extend"), past).text
    later = filled(until=f"{timezone.now() + timedelta(days=30):%Y-%m-%dT%H:%M}", policy="tokens")
    officer.post(address("extend"), later)
    assert Plan.objects.get().policy == "tokens"


def test_every_row_is_said(officer: Client) -> None:
    tokens("a", "b")
    none = {"once": str(uuid.uuid4()), "reason": "x"}
    assert "or tick Every row" in officer.post(address(), none).text
    assert "or tick Every row" in officer.post(address(), filled(every="on")).text
    officer.post(address(), none | {"every": "on"})
    assert Plan.objects.get().rows == 2


@pytest.mark.parametrize("again", [False, True])
def test_a_form_that_is_sent_twice_makes_one_plan(
    officer: Client, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where both arrive at once, before either has made its plan."""
    tokens("a")
    form = filled()
    officer.post(address(), form)
    if again:
        asked = [None]
        refuse = new.refuse_sent
        monkeypatch.setattr(new, "refuse_sent", lambda *of: asked.pop() if asked else refuse(*of))
    page = officer.post(address(), form)
    assert f"was sent before: it has made plan {Plan.objects.get().pk}" in page.text


@pytest.mark.parametrize(("act", "permission"), [*new.ACTS.items()])
def test_each_act_has_its_permission(act: str, permission: str) -> None:
    tokens("a")
    others = {each for each in MAKES if f".{each}" not in permission}
    client = client_of(*others, "view_token")
    assert f"Needs the permission {permission}." in client.get(reverse("admin:purge_plan_add")).text
    client.post(address(act), filled(until=f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M}"))
    assert not Plan.objects.exists()


def test_forged_and_without_the_permission(officer: Client) -> None:
    tokens("a")
    officer.handler.enforce_csrf_checks = True
    assert officer.post(address(), filled()).status_code == 403
    others = client_of("view_plan", "hold_row", "view_token", name="other")
    assert others.post(address(), filled()).status_code == 403
    assert others.get(reverse("admin:purge_plan_add")).status_code == 403
    assert "/add/" not in others.get(reverse("admin:purge_plan_changelist")).text
    assert Client().post(address(), filled()).status_code == 302
    assert not Plan.objects.exists()


def test_only_of_models_that_the_user_may_view() -> None:
    tokens("a")
    client = client_of(*MAKES, "view_coupon")
    text = client.get(reverse("admin:purge_plan_add")).text
    assert "zoo.Coupon" in text
    assert "zoo.Token" not in text
    client.post(address(), filled())
    assert not Plan.objects.exists()


def test_what_its_own_admin_narrows_and_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def mine(page: Any, request: Any) -> Any:
        return admin.ModelAdmin.get_queryset(page, request).filter(address="mine@example.com")

    monkeypatch.setattr(EmailSuppressionAdmin, "get_queryset", mine, raising=False)
    monkeypatch.setattr(EmailSuppressionAdmin, "exclude", ("reason",), raising=False)
    for each in ("mine@example.com", "yours@example.com"):
        EmailSuppressionFactory.create(address=each)
    officer = client_of(*MAKES, "view_emailsuppression")
    place = address(model="demo.EmailSuppression")
    text = officer.get(place).text
    assert '<option value="address">' in text
    assert '<option value="reason">' not in text
    officer.post(place, {"once": str(uuid.uuid4()), "every": "on", "reason": "x"})
    assert Plan.objects.get().rows == 1
    oracle = filled("reason", "startswith", "a")
    assert "Select a valid choice" in officer.post(place, oracle).text


@pytest.mark.parametrize(
    ("column", "lookup", "value"),
    [
        ("id", "exact", SECRET),
        ("id", "exact", "9" * 40),
        ("id", "in", f"1,{SECRET}"),
        ("expires_at", "lt", SECRET),
        ("label", "exact", f"{SECRET}\0"),
        ("label", "isnull", SECRET),
        ("label", "regex", SECRET),
        ("nothing", "exact", SECRET),
        ("label", "exact", SECRET),
    ],
)
def test_no_value_is_told(
    officer: Client, caplog: pytest.LogCaptureFixture, column: str, lookup: str, value: str
) -> None:
    """Neither in an error, an address, the ledger, nor a log: in the field of the form alone."""
    before = Event.objects.count()
    page = officer.post(address(), filled(column, lookup, value), follow=True)
    assert page.status_code == 200
    assert not page.redirect_chain
    assert SECRET not in re.sub(r'<input[^>]*name="value0"[^>]*>', "", page.text)
    assert SECRET not in caplog.text
    assert Event.objects.count() == before
    assert not Plan.objects.exists()


def test_an_error_report_has_nothing_of_what_was_sent(
    officer: Client, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any], settings: Any
) -> None:
    settings.ADMINS = ADMINS

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("out of order")

    monkeypatch.setattr(new, "plan", broken)
    officer.raise_request_exception = False
    tokens(SECRET)
    assert officer.post(address(), filled(value=SECRET)).status_code == 500
    assert mailoutbox
    assert all(SECRET not in each.body for each in mailoutbox)


def test_what_takes_too_long_or_is_too_many(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens("a", "a")
    monkeypatch.setattr(new, "MOST", 1)
    assert "more than 1 rows: a command plans them" in officer.post(address(), filled()).text
    monkeypatch.setattr(new, "MOST", 5)
    monkeypatch.setattr(new, "PATIENCE", 0.05)
    found = new._rows

    def slow(*args: Any) -> Any:
        return found(*args).extra(where=["pg_sleep(1) IS NOT NULL"])

    monkeypatch.setattr(new, "_rows", slow)
    assert "takes too long" in officer.post(address(), filled()).text
    assert not Plan.objects.exists()


def test_what_is_refused_is_said(officer: Client) -> None:
    assert "No row of zoo.Token matches" in officer.post(address(), filled()).text
    Person.objects.create(name="Ann")
    page = officer.post(address("purge", "zoo.Person"), filled("name", value="Ann"))
    assert "only on request" in page.text


def test_a_role_that_writes_no_plans(officer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/how-to/roles.md says it of a site's process."""
    tokens("a")
    with roles_of_a_site() as roles:

        def refused(*args: Any, **kwargs: Any) -> None:
            with connection.wrap_database_errors, roles.session(roles.site) as session:
                session.execute("INSERT INTO purge_plan DEFAULT VALUES")

        monkeypatch.setattr(new, "plan", refused)
        text = officer.post(address(), filled()).text
    assert "role of this process may not do that" in text
    assert not Plan.objects.exists()


def test_under_atomic_requests(officer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    tokens("a")
    officer.post(address(), filled())
    assert Plan.objects.get().rows == 1


def test_hostile_names_and_keys(officer: Client) -> None:
    Coupon.objects.create(code=NASTY, expires_at=timezone.now() + timedelta(days=3))
    about = filled("code", value=NASTY, reason=NASTY, reference=NASTY)
    page = officer.post(address(model="zoo.Coupon"), about, follow=True)
    assert Plan.objects.get().rows == 1
    assert NASTY not in page.text
    assert NASTY not in officer.post(address(model="zoo.Coupon"), about).text
    assert NASTY not in officer.get(f"{address()}{NASTY}").text


def ticked(client: Client, model: Any, *rows: Any) -> Any:
    chosen = {"action": "lifecycle_plan", "_selected_action": [row.pk for row in rows]}
    return client.post(
        reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"), chosen
    )


def test_rows_that_were_ticked_in_a_list(officer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Listed(LifecycleAdminMixin, admin.ModelAdmin):
        pass

    coupons = [
        Coupon.objects.create(code=code, expires_at=timezone.now() + timedelta(days=3))
        for code in (NASTY, "a,b", "c")
    ]
    page = Listed(Coupon, admin.site)
    asked = page.get_actions(request_of(officer))
    assert "lifecycle_plan" in asked
    chosen = Coupon.objects.exclude(code="c")
    found = lifecycle_plan(page, request_of(officer), chosen).render().text
    assert "2 rows of zoo.Coupon" in found
    assert NASTY not in found
    assert "act=hold" in found
    keys = [each.pk for each in coupons[:2]]
    form = officer.post(address(model="zoo.Coupon"), {"chosen": keys}).text
    assert "This field is required" not in form
    assert NASTY not in form
    given = {"chosen": keys, "reason": "x", "once": str(uuid.uuid4())}
    officer.post(address(model="zoo.Coupon"), given)
    plan = Plan.objects.get()
    assert (plan.rows, plan.asked) == (2, [["pk__in", "2 ticked in a list"]])
    other = client_of("view_plan", "view_coupon", name="other")
    assert "lifecycle_plan" not in page.get_actions(request_of(other))
    monkeypatch.setattr(new, "MOST_CHOSEN", 1)
    asks = request_of(officer)
    assert lifecycle_plan(page, asks, Coupon.objects.all()) is None
    assert ["more than 1 rows" in str(each) for each in asks._messages] == [True]


def request_of(client: Client) -> Any:
    """A request of a client's user, as the last one that it made."""
    request = client.get("/admin/").wsgi_request
    request.current_app = "admin"
    return request


def test_keys_that_are_none(officer: Client) -> None:
    given = {"chosen": ["x", SECRET], "reason": "x", "once": str(uuid.uuid4())}
    page = officer.post(address(), given)
    assert "has no such key" in page.text
    many = given | {"chosen": [str(n) for n in range(501)]}
    assert "More than 500 rows" in officer.post(address(), many).text


@pytest.mark.slow
def test_the_number_of_questions_is_constant(officer: Client) -> None:
    paths = [reverse("admin:purge_plan_changelist"), reverse("admin:purge_plan_add"), address()]
    tokens("a")
    officer.post(address(), filled())
    for path in paths:  # what is asked once a process
        queries(officer, path)
    first = [queries(officer, path) for path in paths]
    for _ in range(5):
        officer.post(address(), filled())
    assert [queries(officer, path) for path in paths] == first


def test_what_is_in_another_database_than_the_list_is_not_planned_here(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of its plan would be that of another one, of the same number."""
    tokens("a")
    monkeypatch.setattr(own_pages, "home", lambda model: "second")
    text = officer.post(address(), filled()).text
    assert "zoo.Token is in the database &#x27;second&#x27;" in text
    assert not Plan.objects.exists()
