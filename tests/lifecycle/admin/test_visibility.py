"""The admin tells nobody of rows whose model the site does not let the user view."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils import timezone

from demo.models import User
from lifecycle import context, hold, restore
from lifecycle.admin import deeds
from lifecycle.admin.row_actions import ROW_ACTIONS
from lifecycle.admin.visibility import may_view
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from purge.models import Run
from purge.runner import run_due
from tests.lifecycle.admin.test_admin import SHOWN, url
from tests.lifecycle.admin.test_admin_row import ROW, client_of, name, page, press
from tests.support import let_pass
from tests.zoo.models import Contract, Coupon, Draft

pytestmark = pytest.mark.django_db(transaction=True)

KEY, GONE = "SECRET-KEY", "SECRET-GONE"
TOLD = ("SECRET-REASON", "SECRET-REFERENCE", "SECRET-ACTOR")
EVERYTHING = (*(f"view_{model._meta.model_name}" for model in SHOWN), *ROW)
LISTS = {"lifecycle_event": Event, "lifecycle_agendaentry": AgendaEntry, "purge_run": Run}
LISTS |= {"lifecycle_rowexception": RowException, "lifecycle_policystate": PolicyState}


@pytest.fixture
def rows() -> None:
    """Each list has something about rows of one model, with words to look for."""
    past = timezone.now() - timedelta(days=1)
    Coupon.objects.create(code=GONE, expires_at=past)
    run_due()
    coupon = Coupon.objects.create(code=KEY, expires_at=timezone.now() + timedelta(days=1))
    Coupon.objects.create(code="other", expires_at=timezone.now() + timedelta(days=1))
    with context(actor=TOLD[2]):
        restore(coupon)
        hold(coupon, reason=TOLD[0], reference=TOLD[1])
        hold("coupons", reason=TOLD[0])


@pytest.fixture
def users(rows: None) -> dict[str, Client]:
    """A client of each kind of user; those that may see what is about coupons are in `SEES`."""
    superuser = Client()
    superuser.force_login(User.objects.create_superuser("boss"))
    return {
        "superuser": superuser,
        "views coupons": client_of(*EVERYTHING, "view_coupon", name="clerk"),
        "changes coupons": client_of(*EVERYTHING, "change_coupon", name="editor"),
        "views drafts": client_of(*EVERYTHING, "view_draft", name="drafter"),
        "no model": client_of(*EVERYTHING, name="ledger"),
        "nothing": client_of(name="staff"),
        "anonymous": Client(),
    }


SEES = {"superuser", "views coupons", "changes coupons"}


def addresses(key: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every address of the admin that is about the ledger: its name, itself, and what it is asked.

    Generated of the URL patterns, so that a page that is added is in it.
    """
    for pattern in admin.site.get_urls():
        for name_, route in _named(pattern):
            yield from _filled(name_, route, key)


def _named(pattern: Any, before: str = "") -> Iterator[tuple[str, str]]:
    route = before + str(pattern.pattern)
    if isinstance(pattern, URLPattern):
        yield str(pattern.name), route
    else:
        for each in pattern.url_patterns:
            yield from _named(each, route)


def _filled(name_: str, route: str, key: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    table = next((prefix for prefix in LISTS if name_.startswith(f"{prefix}_")), None)
    base, asked = reverse("admin:index"), {"row": f"zoo.Coupon:{key}"}
    if name_ == "autocomplete":
        source = {"app_label": "lifecycle", "model_name": "rowexception", "field_name": "event"}
        for term in ("", f"zoo.Coupon:{key}"):
            yield name_, base + route, source | {"term": term}
    elif name_.startswith("lifecycle_row_action"):
        for action in ROW_ACTIONS:
            yield name_, reverse("admin:lifecycle_row_action", args=[action]), asked
    elif name_ == "lifecycle_row":
        yield name_, base + route, asked
    elif table and "<path:object_id>" in route:
        every = name_.endswith("_change")
        for row in about_coupons(LISTS[table])[: None if every else 1]:
            yield name_, base + route.replace("<path:object_id>", str(row)), {}
    elif table:
        for q in ({}, {"q": f"zoo.Coupon:{key}"}, {"policy": "coupons"}):
            yield name_, base + route, q
    elif name_ in ("index", "app_list"):
        for at in ("", "lifecycle/", "purge/"):
            yield name_, base + at, {}


def about_coupons(model: Any) -> list[Any]:
    """The entries of a list about coupons: one of each kind, as far as it has kinds."""
    found: dict[Any, Any] = {}
    for row in model._default_manager.order_by("pk"):
        about = str(row.name if model is PolicyState else row.policy)
        if "coupons" in (about, getattr(row, "model", "").replace("zoo.coupon", "coupons")):
            found[getattr(row, "kind", "")] = row.pk
    return [*found.values()]


def told(client: Client, key: str = KEY) -> list[tuple[str, str, dict[str, str], str]]:
    """What each address says of the secrets: of those that the asker has not said."""
    found = []
    for name_, address, asked in addresses(key):
        text = client.get(address, asked, follow=True).text
        words = (
            [*TOLD, GONE] if any(key in value for value in asked.values()) else [*TOLD, GONE, KEY]
        )
        found += [(name_, address, asked, word) for word in words if word in text]
    return found


@pytest.mark.slow
def test_who_may_not_view_a_model_is_told_of_none_of_its_rows(users: dict[str, Client]) -> None:
    assert len({name_ for name_, _, _ in addresses(KEY)}) >= 5 * 3 + 5
    for user, client in users.items():
        found = told(client)
        if user not in SEES:
            assert found == [], user
            continue
        told_by = {(name_, word) for name_, _, _, word in found}
        assert {word for _, word in told_by} >= {KEY, GONE, *TOLD}, user
        assert ("lifecycle_row", TOLD[0]) in told_by
        assert ("lifecycle_event_change", KEY) in told_by
        assert ("lifecycle_rowexception_changelist", KEY) in told_by


def test_there_is_nothing_to_guess(users: dict[str, Client]) -> None:
    """An address answers for a key that is there as for one that is not."""
    for user in users.keys() - SEES:
        there, absent = list(addresses(KEY)), list(addresses("ABSENT-KEY"))
        for (_, address, asked), (_, other, ask) in zip(there, absent, strict=True):
            if asked != ask:
                first = users[user].get(address, asked, follow=True)
                second = users[user].get(other, ask, follow=True)
                assert plain(first.text, KEY) == plain(second.text, "ABSENT-KEY"), (user, address)


def plain(text: str, key: str) -> str:
    """Without tokens, and each message once: an autocomplete leaves its own to the next page."""
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", text)
    lines = [" ".join(line.split()) for line in text.replace(key, "KEY").splitlines()]
    said = dict.fromkeys(line for line in lines if line.startswith('<li class="error"'))
    return "\n".join([*said, *(line for line in lines if line and line not in said)])


def test_counts_leave_them_out(users: dict[str, Client]) -> None:
    """Not even how many there are, in total or by a filter of the address."""
    for model in (Event, RowException):
        shown = users["no model"].get(url(model, "changelist")).context["cl"]
        about = [row for row in shown.queryset if row.model == "zoo.coupon"]
        assert (about, shown.result_count) == ([], shown.queryset.count())
        assert shown.result_count < model._default_manager.count()


def test_what_is_not_viewed_cannot_be_acted_on(users: dict[str, Client]) -> None:
    before = Event.objects.filter(model="zoo.coupon").count()
    exceptions = set(RowException.objects.values_list("pk", flat=True))
    for user in users.keys() - SEES:
        for action in ROW_ACTIONS:
            text = press(users[user], action, f"zoo.Coupon:{KEY}", reason="mine").text
            assert all(word not in text for word in TOLD)
        chosen = {"action": "release_exceptions", "_selected_action": [*exceptions]}
        text = users[user].post(url(RowException, "changelist"), chosen, follow=True).text
        assert KEY not in text
    assert Event.objects.filter(model="zoo.coupon").count() == before
    assert set(RowException.objects.values_list("pk", flat=True)) == exceptions
    assert "Released: " in press(users["views coupons"], "release", f"zoo.Coupon:{KEY}").text


class Unlisted(admin.ModelAdmin):
    """In no list of apps: its addresses were not there when those of the site were made."""

    def has_module_permission(self, request: Any) -> bool:
        return False


class Closed(Unlisted):
    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class ByRow(Unlisted):
    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return obj is None or obj.pk != KEY


@pytest.fixture
def register() -> Iterator[Any]:
    def put(page_: Any) -> None:
        admin.site.register(Coupon, page_)

    yield put
    admin.site.unregister(Coupon)


def test_the_sites_own_admin_is_asked(users: dict[str, Client], register: Any) -> None:
    register(Closed)
    for user in ("superuser", "views coupons"):
        assert told(users[user]) == [], user


def test_the_sites_own_admin_is_asked_about_the_row(
    users: dict[str, Client], register: Any
) -> None:
    register(ByRow)
    text = page(users["superuser"], f"zoo.Coupon:{KEY}")
    assert "You may not view zoo.Coupon." in text
    assert all(word not in text for word in TOLD)
    assert press(users["superuser"], "release", f"zoo.Coupon:{KEY}").status_code == 200
    assert RowException.objects.filter(key=KEY, kind="hold").exists()
    assert "is in the database" in page(users["superuser"], "zoo.Coupon:other")


@pytest.mark.parametrize("may", [True, False])
def test_the_table_of_a_many_to_many_field_is_as_its_ends(rf: Any, may: bool) -> None:
    """Django has no permission for it, which anybody could be given."""
    through: Any = Group.permissions.through
    client_of("view_group", *(["view_permission"] if may else []))
    request = rf.get("/")
    request.user = User.objects.get(username="jo")
    assert may_view(request, admin.site, through) is may


def test_a_site_without_the_pages_of_plans_says_what_else_may_be_done(
    rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_ours(name: str, **more: Any) -> str:
        if ":purge_" in name:
            raise NoReverseMatch
        return reverse(name, **more)

    monkeypatch.setattr(deeds, "reverse", only_ours)
    request = rf.get("/")
    request.user = User(is_superuser=True, is_active=True)
    assert len(deeds.deeds(request, "admin")) == len(deeds.DEEDS)


def test_a_table_without_a_model_is_the_superusers(users: dict[str, Client]) -> None:
    now = timezone.now()
    event = Event.objects.create(kind="deleted", model="gone.model", recorded_at=now, detail={})
    for user, client in users.items():
        shown = client.get(url(Event, "change", event.pk)).status_code == 200
        assert shown == (user == "superuser")


def test_a_row_in_the_way_is_named_to_those_who_may_view_it() -> None:
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=9))
    contract = Contract.objects.create(draft=draft)
    run_due()
    let_pass(timedelta(hours=2))
    run_due()
    blocked = Event.objects.filter(kind="blocked").latest("id")
    assert blocked.detail["by"] == [name(contract)]
    both = client_of(*EVERYTHING, "view_draft", "view_contract", name="both")
    one = client_of(*EVERYTHING, "view_draft", name="one")
    for client, sees in ((both, True), (one, False)):
        texts = page(client, name(draft)), client.get(url(Event, "change", blocked.pk)).text
        for text in texts:
            assert (name(contract) in text) == sees
            assert sees or "a row of zoo.Contract" in text
    assert Event.objects.get(pk=blocked.pk).detail["by"] == [name(contract)]
