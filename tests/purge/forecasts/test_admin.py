"""Looking ahead in the admin: docs/how-to/look-ahead.md#in-the-admin."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.models import User
from purge.forecasts import admin as stored
from purge.forecasts import ahead, simulate
from purge.forecasts.simulate import Simulated, store
from purge.models import Forecast
from purge.runner import run_due
from tests.lifecycle.admin.test_admin_row import client_of, queries
from tests.support import let_pass
from tests.zoo.models import Account, Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
AHEAD, LIST = "admin:purge_forecast_ahead", "admin:purge_forecast_changelist"
NASTY = '"><script>alert(1)</script>'
LOOKS = ("view_forecast", "view_token", "view_draft", "view_account")


def officer(*more: str, name: str = "jo") -> Client:
    return client_of(*LOOKS, *more, name=name)


def tokens(*days: float) -> None:
    for each in days:
        Token.objects.create(expires_at=timezone.now() + each * DAY)


def until(days: float) -> str:
    return f"{timezone.localtime() + days * DAY:%Y-%m-%dT%H:%M}"


def page(client: Client, **given: Any) -> str:
    return client.get(reverse(AHEAD), {"until": "", **given}).text


def cells(text: str, policy: str) -> list[str]:
    row = next(
        each for each in re.findall(r"<tr>.*?</tr>", text, re.S) if f">{policy}</th>" in each
    )
    return [re.sub("<.*?>", "", each).strip() for each in re.findall(r"<td.*?</td>", row, re.S)]


def test_nothing_is_read_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "simulate", None)
    client = officer()
    assert reverse(AHEAD) in client.get(reverse(LIST)).text
    assert "Until" in client.get(reverse(AHEAD)).text


def test_what_ends_until_a_day_as_a_table_and_a_picture() -> None:
    tokens(3, 3, 5, 40)
    text = page(officer(), until=until(30))
    assert cells(text, "tokens")[:4] == ["3", "0", "0", "0"]
    assert "tokens: 3, at most 2 a day" in text
    assert 'aria-label="3 rows end; the most, 2, on' in text
    assert "style=" not in text.split('<div id="content-main"')[1]


def test_another_age() -> None:
    for age in (20, 20, 40):
        Account.objects.create(email="x", seen_at=timezone.now() - age * DAY)
    text = page(officer(), policy="accounts", age="14d", until=until(1))
    assert "With an age of 14 days instead of 30 days" in text
    assert "2 more rows of accounts end until" in text
    assert "As it is: 1. Changed: 3." in text
    text = page(officer(name="al"), policy="accounts", age="300d", until=until(1))
    assert "1 fewer rows of accounts" in text


def test_what_cannot_be_asked() -> None:
    client = officer()
    for given, says in (
        ({"age": "14d"}, "Say of which policy"),
        ({"age": "soon", "policy": "drafts"}, "Write 0, 90s, 30m, 12h or 7d"),
        ({"age": "999999d", "policy": "drafts"}, "At most 36525 days"),
        ({"age": "14d", "policy": "lives"}, "Select a valid choice"),
        ({"until": until(400)}, "At most 366 days ahead"),
        ({"until": "2020-01-01T10:00"}, "This date has passed"),
        ({"policy": NASTY}, "Select a valid choice"),
        ({"until": NASTY}, "Enter a valid date"),
    ):
        text = page(client, **given)
        assert says in text, given
        assert NASTY not in text


def test_a_policy_that_ends_rows_on_request_is_not_asked_about() -> None:
    client = officer("view_person")
    for given in ({"grace": "1d"}, {"age": "1d"}, {}):
        assert "is not one of the available choices" in page(client, policy="people", **given)
    assert "people" not in page(client)


def test_only_policies_on_models_that_the_user_may_view() -> None:
    client = client_of("view_forecast", "view_token", "add_forecast")
    text = page(client)
    assert "Nothing ends under tokens, tokens-short." in text
    assert "drafts" not in text
    Draft.objects.create(created_at=timezone.now())
    keep(client)
    assert "drafts" not in Forecast.objects.get().policies
    whole = store([Simulated("drafts"), Simulated("tokens")], timezone.now() + DAY, "x", "default")
    text = client.get(at(whole)).text
    assert ">drafts</th>" not in text
    assert ">tokens</th>" in text


def test_the_page_cannot_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table takes for ever: all of them together have the time that the page has."""
    given = list[float]()

    def slow(policies: Any, until: Any, using: str, patience: float) -> Any:
        given.append(patience)
        return [Simulated(each.name, estimate=7) for each in policies]

    clock = iter(range(1000))
    monkeypatch.setattr(ahead, "simulate", slow)
    monkeypatch.setattr(ahead.time, "monotonic", lambda: next(clock) * 5.0)
    assert "about 7" in page(officer())
    assert given[0] < ahead.BUDGET
    assert set(given[3:]) == {ahead.LEAST}


def test_a_table_that_takes_too_long_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any) -> None:
        simulate.fetch("default", "SELECT pg_sleep(5)")

    monkeypatch.setattr(simulate, "_read", slow)
    monkeypatch.setattr(ahead, "BUDGET", 0.2)
    text = page(officer(), policy="tokens")
    assert "An estimate: holds and keep_while are not in it." in text


def at(found: Forecast) -> str:
    return reverse("admin:purge_forecast_change", args=[found.pk])


def keep(client: Client, **more: Any) -> Any:
    given = {"until": until(3), "policy": "", "once": str(uuid.uuid4()), **more}
    return client.post(reverse(AHEAD), given, follow=True)


def test_it_is_kept_once_and_compared_with_what_came() -> None:
    tokens(0.01, 2)
    client, once = officer("add_forecast"), str(uuid.uuid4())
    keep(client, once=once)
    found = Forecast.objects.get()
    assert (found.actor, found.policies["tokens"]["days"]) == ("jo", {"0": 1, "2": 1})
    assert f"it has made forecast {found.pk}" in keep(client, once=once).text
    assert "has no number" in keep(client, once="x").text
    assert Forecast.objects.count() == 1
    let_pass(timedelta(days=1, hours=1))
    tokens(-0.01)
    run_due()
    text = client.get(at(found)).text
    assert cells(text, "tokens")[0] == "2"
    assert "day of it are over" in text or "days of it are over" in text
    assert "tokens, said: 2" in text


def test_keeping_has_its_permission() -> None:
    client = officer()
    text = page(client)
    assert "Needs the permission purge.add_forecast." in text
    assert keep(client).status_code == 403
    strict = officer("add_forecast", name="al")
    strict.handler.enforce_csrf_checks = True
    assert keep(strict).status_code == 403
    assert client_of("add_forecast", name="bo").get(reverse(AHEAD)).status_code == 403
    assert client_of("view_token", name="cy").get(reverse(LIST)).status_code == 403
    assert Client().get(reverse(AHEAD)).status_code == 302
    assert not Forecast.objects.exists()


def test_a_ledger_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    found = store([Simulated("tokens")], timezone.now() + DAY, NASTY, "default")

    def slow(*args: Any) -> None:
        simulate.fetch("default", "SELECT pg_sleep(5)")

    monkeypatch.setattr(stored, "compare", slow)
    monkeypatch.setattr(stored, "PATIENCE", 0.05)
    text = officer().get(at(found)).text
    assert f"manage.py lifecycle simulate --compare {found.pk}" in text
    assert NASTY not in text


def test_a_policy_that_has_left_the_code() -> None:
    found = store([Simulated("gone"), Simulated(NASTY)], timezone.now() + DAY, "x", "default")
    assert ">gone</th>" not in officer().get(at(found)).text
    boss = officer(name="boss")
    User.objects.filter(username="boss").update(is_superuser=True)
    text = boss.get(at(found)).text
    assert ">gone</th>" in text
    assert NASTY not in text


def test_under_atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    tokens(2)
    assert cells(page(officer(), until=until(3)), "tokens")[0] == "1"


def test_the_number_of_questions_is_constant() -> None:
    client = officer("add_forecast")
    store([Simulated("tokens")], timezone.now() + DAY, "x", "default")
    pages = [reverse(LIST), at(Forecast.objects.get()), f"{reverse(AHEAD)}?until="]
    tokens(2)
    for each in pages:
        client.get(each)
    first = [queries(client, each) for each in pages]
    for _ in range(30):
        store([Simulated("tokens")], timezone.now() + DAY, "x", "default")
    tokens(*range(1, 30))
    assert [queries(client, each) for each in pages] == first
