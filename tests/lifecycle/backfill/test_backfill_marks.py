"""What `migrate` marks to be read, and what a renamed policy takes over."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

import lifecycle
from lifecycle import Signals
from lifecycle.backfill.progress import reconcile, step
from lifecycle.db.connection import fetch, statement
from lifecycle.install.after_migrate import store, sync
from lifecycle.ledger import policy_states as states
from lifecycle.models import AgendaEntry, Backfill, Event, PolicyState, RowException
from lifecycle.policy import registry
from lifecycle.policy.policy import OPTIONS, Policy
from lifecycle.policy.registry import get_policy
from purge.runner import run_due
from tests.backfills import declare, forget, listed, read, write
from tests.zoo.models import Draft, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


def mark(policy: str) -> tuple[str, bool]:
    """Why the table is marked, and whether it is read to the end."""
    walk = Backfill.objects.get(policy=policy)
    return walk.why, walk.finished_at is not None


@contextmanager
def code(policy: str, name: str = "", **options: Any) -> Iterator[Policy]:
    """The site with a policy declared otherwise, after `migrate`."""
    before = get_policy(policy)
    values = {option: getattr(before, option) for option in OPTIONS} | options
    changed = Policy(name or policy, before.model, **values)
    registry._policies.pop(policy)
    registry._policies[changed.name] = changed
    try:
        store(changed, "default")
        yield changed
    finally:
        registry._policies.pop(changed.name)
        registry._policies[policy] = before


class TestMarks:
    def test_a_new_policy_on_a_filled_table(self) -> None:
        write(Ticket, DAY)
        declare("tickets")
        assert mark("tickets") == ("declared", False)
        assert PolicyState.objects.get(name="tickets").state == "observe"

    def test_not_one_on_an_empty_table(self) -> None:
        declare("tickets")
        assert mark("tickets") == ("declared", True)

    def test_not_one_that_ends_rows_only_on_request(self) -> None:
        get_policy("people").model._base_manager.create(name="Ada")
        declare("people")
        assert mark("people") == ("declared", True)

    @pytest.mark.parametrize(
        "option",
        [
            {"when": Q(active=False)},
            {"expires": F("expires_at") + DAY},
            {"resolution": timedelta(minutes=1)},
            {"capture": Signals()},
        ],
        ids=lambda option: next(iter(option)),
    )
    def test_one_that_captures_otherwise(self, option: dict[str, Any]) -> None:
        write(Token, DAY)
        with code("tokens", **option):
            assert mark("tokens") == ("declared", False)

    @pytest.mark.parametrize(
        "option", [{"grace": DAY}, {"keep_while": Q(label="")}, {"cap_rows": 3}], ids=str
    )
    def test_not_one_that_only_ends_otherwise(self, option: dict[str, Any]) -> None:
        write(Token, DAY)
        with code("tokens", **option):
            assert mark("tokens") == ("declared", True)

    def test_not_sql_that_another_version_compiled(self) -> None:
        write(Token, DAY)
        PolicyState.objects.filter(name="tokens").update(due_sql="SELECT")
        sync("default")
        assert mark("tokens") == ("declared", True)

    def test_a_change_in_the_middle_begins_from_the_start(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("lifecycle.backfill.progress.CHUNK", 10)
        write(Token, *[DAY] * 15)
        declare("tokens")
        assert step(get_policy("tokens"), hurried=True)
        with code("tokens", expires=F("expires_at") - 2 * DAY) as changed:
            assert Backfill.objects.get(policy="tokens").last_key is None
            steps = [step(changed, hurried=True) for _ in range(2)]
            assert [each and each.listed for each in steps] == [10, 5]

    def test_one_that_comes_back(self) -> None:
        write(Ticket, DAY)
        removed = {"policy": "tickets", "kind": "policy_changed", "state": "removed", "allow": 0}
        fetch("default", statement(states.__file__, "change_state"), removed)
        store(get_policy("tickets"), "default")
        assert mark("tickets") == ("declared", False)

    def test_is_no_projection(self) -> None:
        write(Ticket, DAY)
        declare("tickets")
        before = list(Backfill.objects.values())
        call_command("lifecycle", "rebuild")
        assert list(Backfill.objects.values()) == before

    def test_rows_whose_keys_could_not_be_read(self) -> None:
        declare("coupons")
        read("coupons")
        assert reconcile() == []
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE zoo_coupon RENAME COLUMN code TO gone")
            cursor.execute("INSERT INTO zoo_coupon (gone, expires_at) VALUES ('A', now())")
            cursor.execute("ALTER TABLE zoo_coupon RENAME COLUMN gone TO code")
        assert Event.objects.get(kind="capture_failed").count == 0
        assert reconcile() == ["coupons"]
        assert mark("coupons") == ("failed", False)
        assert [each.listed for each in read("coupons")] == [1]
        assert reconcile() == []


class TestChanged:
    def test_rows_are_listed_by_the_new_definition(self) -> None:
        Ticket.objects.bulk_create(Ticket(expires_at=timezone.now() + 9 * DAY) for _ in range(5))
        with code("tickets", expires=F("expires_at") - 10 * DAY) as changed:
            assert run_due() == {}
            assert step(changed, hurried=True).listed == 5  # type: ignore[union-attr]
            assert run_due()["tickets"].purged == 5


class TestRenamed:
    def test_is_marked_and_lists_nothing_twice(self) -> None:
        Ticket.objects.create(expires_at=timezone.now() + DAY)
        with code("tickets", "passes", previously="tickets") as renamed:
            assert mark("passes") == ("declared", False)
            assert not Backfill.objects.filter(policy="tickets").exists()
            done = step(renamed, hurried=True)
            assert done
            assert (done.rows, done.listed) == (1, 0)

    @pytest.mark.slow
    def test_also_after_the_new_name_was_stored(self) -> None:
        """Somebody forgot `previously` in the first deploy."""
        drafts = [Draft.objects.create(created_at=timezone.now() - 2 * DAY) for _ in range(3)]
        run_due()
        lifecycle.restore(drafts[0])
        PolicyState.objects.filter(name="drafts").update(spent={"2026-01-01T00": 5})
        with code("drafts", "sketches"):
            assert PolicyState.objects.get(name="sketches").state == "observe"
            read("sketches")
        assert listed("drafts") > 0
        with code("drafts", "sketches", previously="drafts"):
            assert not PolicyState.objects.filter(name="drafts").exists()
            assert PolicyState.objects.get(name="sketches").state == "enabled"
            assert PolicyState.objects.get(name="sketches").spent["2026-01-01T00"] == 5
            assert listed("drafts") == 0
            assert AgendaEntry.objects.filter(policy="sketches", tombstone__isnull=False).exists()
            assert RowException.objects.get(kind="restored").policy == "sketches"
            self.same_after_rebuild()
            told = Event.objects.filter(kind="policy_changed").count()
            sync("default")
            assert Event.objects.filter(kind="policy_changed").count() == told
        forget("sketches")

    def same_after_rebuild(self) -> None:
        before = list(PolicyState.objects.order_by("name").values("name", "state"))
        agenda = list(AgendaEntry.objects.order_by("event_id").values())
        call_command("lifecycle", "rebuild")
        assert list(PolicyState.objects.order_by("name").values("name", "state")) == before
        assert list(AgendaEntry.objects.order_by("event_id").values()) == agenda

    def test_a_pause_under_the_new_name_stays(self) -> None:
        Ticket.objects.create(expires_at=timezone.now() + DAY)
        with code("tickets", "passes"):
            states.enable("passes")
            states.pause("passes")
        with code("tickets", "passes", previously="tickets"):
            assert PolicyState.objects.get(name="passes").state == "paused"

    def test_one_that_is_still_declared_keeps_everything(self) -> None:
        Ticket.objects.create(expires_at=timezone.now() + DAY)
        with code("coupons", "vouchers", previously="tickets"):
            assert PolicyState.objects.filter(name="tickets").exists()
            assert listed("tickets") == 1
