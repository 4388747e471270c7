"""Long lists go from page to page by their keys, without OFFSET and without a count."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle import hold
from lifecycle.admin import keyset
from lifecycle.admin.lists import EventAdmin
from lifecycle.ledger.context import context
from lifecycle.models import Event
from purge.models import Run
from tests.lifecycle.admin.test_admin import NASTY, looker, url
from tests.zoo.models import Coupon, Token

__all__ = ["looker"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def many(looker: Client, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Events of three pages of four; their numbers, the newest first."""
    monkeypatch.setattr(EventAdmin, "list_per_page", 4)
    coupon = Coupon.objects.get()
    for number in range(9):
        with context(actor=f"jo{number % 2}"):
            hold(coupon, reason=f"for {number}")
    return list(Event.objects.exclude(kind="settled").order_by("-pk").values_list("pk", flat=True))


def page(client: Client, query: str = "", model: type = Event) -> str:
    return client.get(url(model, "changelist") + query).text


def numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r'class="field-id"><a[^>]*>(\d+)<', text)]


def link(text: str, name: str) -> str:
    found = re.search(rf'<a href="([^"]*)">{name}</a>', text)
    return found[1].replace("&amp;", "&") if found else ""


def test_from_the_newest_to_the_oldest_and_back(looker: Client, many: list[int]) -> None:
    text, seen, pages = page(looker), [], [""]
    assert not link(text, "Newer")
    while True:
        seen += numbers(text)
        query = link(text, "Older")
        if not query:
            break
        pages.append(query)
        text = page(looker, query)
    assert seen == many
    while newer := link(text, "Newer"):
        text = page(looker, newer)
    assert numbers(text) == many[:4]


def test_no_question_counts_or_skips(looker: Client, many: list[int]) -> None:
    with CaptureQueriesContext(connection) as asked:
        page(looker, f"?before={many[4]}")
    texts = [each["sql"] for each in asked.captured_queries if '"lifecycle_event"' in each["sql"]]
    assert texts
    assert not any("OFFSET" in text or "COUNT(" in text for text in texts)


def test_what_comes_meanwhile_moves_no_page(looker: Client, many: list[int]) -> None:
    older = link(page(looker), "Older")
    before = numbers(page(looker, older))
    hold(Coupon.objects.get(), reason="another")
    assert numbers(page(looker, older)) == before == many[4:8]


def test_filters_by_actor_run_and_kind(looker: Client, many: list[int]) -> None:
    mine = Event.objects.filter(actor="jo1").order_by("-pk").values_list("pk", flat=True)
    text = page(looker, "?actor=jo1")
    assert numbers(text) == list(mine)[:4]
    assert 'name="actor" value="jo1"' in text
    assert numbers(page(looker, "?actor=nobody")) == []
    run = Run.objects.get()
    assert numbers(page(looker, f"?run={run.pk}&kind=purged")) == list(
        Event.objects.filter(run=run.pk, kind="purged").values_list("pk", flat=True)
    )
    assert numbers(page(looker, "?run=x")) == []
    assert "before=" not in link(page(looker, f"?before={many[4]}"), "purged")


@pytest.mark.parametrize(
    "query", ["?before=x", "?before=-1", f"?before={'9' * 40}", "?after=0", "?actor=%00"]
)
def test_forged_keys_are_no_error(looker: Client, many: list[int], query: str) -> None:
    assert looker.get(url(Event, "changelist") + query).status_code == 200


def test_a_number_that_is_far_too_large_is_the_newest(looker: Client, many: list[int]) -> None:
    assert numbers(page(looker, f"?before={10**17}")) == many[:4]


def test_hostile_filters_are_text(looker: Client, many: list[int]) -> None:
    assert NASTY not in page(looker, f"?actor={NASTY}&q={NASTY}")


def test_a_filter_that_finds_nothing_stops_and_goes_on(
    looker: Client, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "PATIENCE", 0)
    text = page(looker, "?actor=jo1")
    assert numbers(text) == []
    assert "were not looked at" in text
    assert f"before={many[0] + 1}" in link(text, "Look further back")
    assert "actor=jo1" in link(text, "Look further back")


class TestRuns:
    """Duration, batches, how it ended, and what is still due of the one under way."""

    def cells(self, client: Client, **query: Any) -> str:
        return client.get(url(Run, "changelist"), query).text

    def test_a_run_that_is_done(self, looker: Client) -> None:
        run = Run.objects.get()
        assert run.batches >= 1
        text = self.cells(looker)
        assert f'"field-batches">{run.batches}<' in text
        assert '"field-standing">done<' in text
        assert '"field-took">0:00:0' in text
        assert "25 purged" in text

    def test_the_one_under_way(self, looker: Client) -> None:
        now = timezone.now()
        Token.objects.bulk_create(Token(expires_at=now - timedelta(hours=1)) for _ in range(3))
        run = Run.objects.create(
            policy="tokens", started_at=now - timedelta(seconds=90), last_batch_at=now,
            origin="worker",
        )  # fmt: skip
        assert "under way, last batch at" in self.cells(looker)
        text = looker.get(url(Run, "change", run.pk)).text
        assert "3 rows" in text
        assert "0:01:30" in text

    def test_errors_are_told_apart(self, looker: Client) -> None:
        now = timezone.now()
        for error in ("OperationalError", "halted: cap", "interrupted"):
            Run.objects.create(
                policy="tokens", started_at=now, finished_at=now, last_batch_at=now, error=error
            )
        text = self.cells(looker)
        assert text.count('"field-standing">failed<') == 1
        assert text.count('"field-standing">stopped<') == 2
