"""`lifecycle restore`, `hold`, `release`, `holds`: what a person says of rows at a terminal."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import hold, holds
from lifecycle.models import Event, RowException
from purge.runner import run_due
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.support import events_of
from tests.zoo import factories
from tests.zoo.models import Draft, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_row_is_restored() -> None:
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    run_due()
    told = manage("lifecycle", "restore", f"zoo.Draft:{draft.pk}", "--actor", "ann")
    assert told == f"zoo.Draft:{draft.pk} is live until its due time changes.\n"
    assert Draft.objects.live().get() == draft
    assert Event.objects.get(kind="restored").actor == "ann"


def test_a_row_is_restored_until_a_day() -> None:
    token = factories.ExpiredTokenFactory()
    told = manage(
        "lifecycle",
        "restore",
        f"zoo.Token:{token.pk}",
        "--until",
        "2100-02-03",
        "--policy",
        "tokens",
    )
    assert told == f"zoo.Token:{token.pk} is live until 2100-02-03 00:00:00 UTC.\n"
    assert RowException.objects.get().until.year == 2100


def test_a_row_is_held_listed_and_released() -> None:
    token = factories.ExpiredTokenFactory()
    name = f"zoo.Token:{token.pk}"
    words = ("--reason", "court", "--reference", "A-1", "--until", "2100-01-01", "--actor", "ann")
    told = manage("lifecycle", "hold", name, *words)
    (held,) = holds()
    assert told == f"Hold {held.number}: {name}.\n"
    run_due()
    assert Token.objects.exists()
    listed = manage("lifecycle", "holds")
    for word in (str(held.number), f"zoo.token:{token.pk}", "court", "A-1", "2100-01-01", "ann"):
        assert word in listed
    (found,) = every = json.loads(manage("lifecycle", "holds", "--json"))
    assert_documented("lifecycle holds", every)
    assert (found["number"], found["actor"], found["in_force"]) == (held.number, "ann", True)
    assert manage("lifecycle", "release", name) == "Released 1 hold.\n"
    assert manage("lifecycle", "holds") == "Nothing is held.\n"
    run_due()
    assert events_of(token, "purged") == ["purged"]


def test_rows_are_held_by_a_filter() -> None:
    factories.ExpiredTokenFactory.create_batch(2)
    spared = factories.InactiveTokenFactory()
    told = manage("lifecycle", "hold", "zoo.Token", "--filter", "active=True", "--reference", "A-1")
    number = holds()[0].number
    assert told == f"Hold {number}: 2 rows of zoo.Token.\n"
    assert "and 1 more" in manage("lifecycle", "holds")
    assert f"zoo.token:{spared.pk}" not in manage("lifecycle", "holds")
    assert manage("lifecycle", "release", "--number", str(number)) == "Released 1 hold.\n"


def test_a_filter_by_date_and_by_emptiness() -> None:
    factories.ExpiredTokenFactory()
    eternal = factories.EternalTokenFactory()
    by_date = ("--filter", "expires_at__lt=2100-01-01")
    assert "1 rows of zoo.Token" in manage("lifecycle", "hold", "zoo.Token", *by_date)
    manage("lifecycle", "hold", "zoo.Token", "--filter", "expires_at__isnull=true")
    assert holds()[1].key == str(eternal.pk)


def test_every_row_is_held_where_that_is_said() -> None:
    factories.ExpiredTokenFactory.create_batch(2)
    assert manage("lifecycle", "hold", "zoo.Token", "--all").endswith("2 rows of zoo.Token.\n")
    factories.ExpiredTokenFactory()
    run_due()
    assert Token.objects.count() == 2


def test_a_policy_is_held_and_released() -> None:
    Ticket.objects.create(expires_at=timezone.now() - timedelta(hours=1))
    assert manage("lifecycle", "hold", "--policy", "tickets").endswith(": every row of tickets.\n")
    assert "policy tickets" in manage("lifecycle", "holds")
    run_due()
    assert Ticket.objects.exists()
    assert manage("lifecycle", "release", "--policy", "tickets") == "Released 1 hold.\n"


REFUSED = {
    "a row that is not there": (("restore", "zoo.Draft:1000000"), "not in the database"),
    "a model that is not there": (("restore", "zoo.Nothing:1"), "no model"),
    "no row at all": (("hold",), "Name a row"),
    "a model without a filter": (("hold", "zoo.Token"), "--filter"),
    "a filter that matches all": (("hold", "zoo.Token", "--filter", "active=True"), "all 1 rows"),
    "a filter that matches none": (("hold", "zoo.Token", "--filter", "active=False"), "No row"),
    "a field that is not there": (("hold", "zoo.Token", "--filter", "activ=1"), "mean 'active'"),
    "a value of another kind": (("hold", "zoo.Token", "--filter", "active=soon"), "no value"),
    "a date that is none": (("hold", "zoo.Token", "--filter", "expires_at=now"), "no date"),
    "half a filter": (("hold", "zoo.Token", "--filter", "active"), "field=value"),
    "all of them, filtered": (
        ("hold", "zoo.Token", "--all", "--filter", "active=True"),
        "--filter",
    ),
    "a policy that is not there": (("hold", "--policy", "token"), "mean 'tokens'"),
    "a day that has passed": (("hold", "--policy", "tokens", "--until", "2001-01-01"), "passed"),
    "a day that is none": (("hold", "--policy", "tokens", "--until", "2031-02-30"), "no date"),
    "a word for a day": (("hold", "--policy", "tokens", "--until", "soon"), "no date"),
    "a policy of another model": (("restore", "{row}", "--policy", "drafts"), "no policy 'drafts'"),
    "nothing to release": (("release",), "one of them"),
    "two to release": (("release", "--number", "1", "--reference", "A"), "one of them"),
    "an empty reference": (("release", "--reference", ""), "one of them"),
    "a number that is no hold": (("release", "--number", "100000000"), "no hold"),
    "a reference of no hold": (("release", "--reference", "B-1"), "no hold"),
    "a policy that is not held": (("release", "--policy", "tickets"), "no hold"),
    "a policy to release that is not there": (("release", "--policy", "ticket"), "mean 'tickets'"),
    "a database that is not there": (("holds", "--database", "other"), "no database 'other'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_changes_nothing(what: str) -> None:
    row = factories.LiveTokenFactory()
    arguments, words = REFUSED[what]
    before = Event.objects.count()
    named = [each.replace("{row}", f"zoo.Token:{row.pk}") for each in arguments]
    assert words in fails("lifecycle", *named)
    assert Event.objects.count() == before
    assert not RowException.objects.exists()


def test_release_of_a_row_that_is_not_held() -> None:
    row = factories.LiveTokenFactory()
    hold("tickets")
    assert "no hold" in fails("lifecycle", "release", f"zoo.Token:{row.pk}")
    assert len(holds()) == 1
