"""Old and new code at once: what a deploy changes, and what it must not end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

import purge
from lifecycle import Policy, expire_now, hold, release, restore
from lifecycle.backfill.progress import ask, step
from lifecycle.capture.triggers import registered
from lifecycle.install.after_migrate import sync
from lifecycle.ledger.policy_states import enable, rebuild
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from lifecycle.policy import registry
from lifecycle.policy.policy import OPTIONS
from lifecycle.policy.registry import get_policy
from purge.batch.brakes import OUTDATED
from purge.runner import run_due, run_policy
from tests.support import events_of, kinds, let_pass, run_until_idle
from tests.zoo.factories import ExpiredDraftFactory
from tests.zoo.models import Draft

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@contextmanager
def code(*policies: Policy, without: str = "drafts") -> Iterator[None]:
    """A process whose code has other policies than this one."""
    before = dict(registry._policies)
    registry._policies.pop(without)
    registry._policies.update({policy.name: policy for policy in policies})
    try:
        yield
    finally:
        registry._policies.clear()
        registry._policies.update(before)


def other(name: str = "drafts", **changed: Any) -> Policy:
    """The policy on drafts as the next version declares it."""
    policy = get_policy("drafts")
    values = {option: getattr(policy, option) for option in OPTIONS} | {"keep_while": None}
    return Policy(name, Draft, **(values | changed))


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    migrate_trigger("install_sql")
    sync("default")
    backfill_all("drafts")


def migrate_trigger(part: str) -> None:
    """What a migration does that adds (`install_sql`) or removes the triggers of the policy."""
    with connection.cursor() as cursor:
        for model, trigger in registered():
            if model is Draft and str(trigger.name).startswith("lc_drafts_"):
                cursor.execute(getattr(trigger.compile(model), part))


CHANGES = {
    "a later end": {"expires": F("created_at") + timedelta(days=90)},
    "another condition": {"when": Q(status="rejected")},
    "a longer grace": {"grace": timedelta(days=90)},
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_a_row_that_the_new_code_keeps_is_safe_from_the_old(change: str) -> None:
    new = other(**CHANGES[change])
    due, stoned = ExpiredDraftFactory.create_batch(2)
    run_until_idle()
    due = Draft.objects.create(created_at=timezone.now() - 2 * DAY)
    with code(new):
        assert run_policy(new).stopped == OUTDATED, "the new worker comes before the migration"
        sync("default")
    let_pass(2 * HOUR)
    old = get_policy("drafts")
    assert run_policy(old).stopped == OUTDATED
    assert "drafts" not in run_due()
    Draft.objects.create(created_at=timezone.now())
    assert kinds(policy="drafts")[-1] == "expiry_scheduled", "the host's writes are recorded"
    with code(new):
        run_until_idle()
    assert {due, stoned} <= {*Draft.objects.all()}


def test_what_the_new_code_ends_sooner_the_old_does_not() -> None:
    draft = Draft.objects.create(created_at=timezone.now() - 2 * HOUR)
    new = other(expires=F("created_at") + HOUR, grace=timedelta(0))
    with code(new):
        sync("default")
        backfill_all("drafts")
    assert "drafts" not in run_due()
    assert Draft.objects.filter(pk=draft.pk).exists()
    with code(new):
        run_until_idle()
    assert not Draft.objects.filter(pk=draft.pk).exists()


def test_an_override_that_waits_does_not_outlive_the_declaration_it_was_asked_of() -> None:
    now = timezone.now()
    rows = [Draft.objects.create(created_at=now - age * HOUR) for age in (1, 7)]
    number = purge.enqueue("drafts", older_than=6 * HOUR, grace=timedelta(0), actor="jo")
    with code(other(expires=F("created_at") + 12 * HOUR, grace=timedelta(days=30))):
        sync("default")
        run_due()
        assert [*Draft.objects.order_by("pk")] == rows
        assert Event.objects.filter(kind="policy_changed").latest("id").settled == [number]
        rebuild("default")
        assert not AgendaEntry.objects.filter(event=number).exists()


def backfill_all(policy: str) -> None:
    ask(get_policy(policy))
    while step(get_policy(policy), hurried=True):
        pass


@pytest.mark.slow
def test_a_renamed_policy_stops_the_old_workers_and_loses_nothing() -> None:
    draft = ExpiredDraftFactory()
    run_until_idle()
    let_pass(2 * HOUR)
    renamed = other("old-drafts", previously="drafts")
    with code(renamed):
        sync("default")
    assert "not in the database" in run_policy(get_policy("drafts")).stopped
    assert Draft.objects.filter(pk=draft.pk).exists()
    with code(renamed):
        run_until_idle()
        assert not Draft.objects.exists()
        assert PolicyState.objects.get(name="old-drafts").state == "enabled"
    with code(other(previously="old-drafts")):
        sync("default")


@pytest.mark.slow
def test_a_policy_taken_out_of_the_code_ends_nothing_and_is_said() -> None:
    draft = ExpiredDraftFactory()
    run_until_idle()
    remove()
    let_pass(2 * HOUR)
    assert run_policy(get_policy("drafts")).stopped == "removed"
    with code():
        assert run_due() == {}
        assert "drafts" in said()
    assert Draft.objects.filter(pk=draft.pk).exists()
    Draft.objects.create(created_at=timezone.now())
    assert "expiry_scheduled" not in kinds(policy="drafts")[2:]


def remove() -> None:
    """Without the policy: makemigrations and migrate."""
    with code():
        migrate_trigger("uninstall_sql")
        sync("default")
    assert PolicyState.objects.get(name="drafts").state == "removed"


def said() -> str:
    from io import StringIO

    out = StringIO()
    call_command("lifecycle", "status", stdout=out)  # SystemExit where something is wrong
    return out.getvalue()


def test_code_that_does_not_know_a_policy_whose_triggers_are_there_leaves_it_alone() -> None:
    """The old code runs `migrate` while the new has come already."""
    with code():
        sync("default")
    assert PolicyState.objects.get(name="drafts").state == "enabled"


@pytest.mark.slow
def test_a_policy_that_comes_back_begins_anew() -> None:
    """Nobody knows how long its tombstoned rows were in use meanwhile."""
    stoned, by_hand, kept = ExpiredDraftFactory.create_batch(3)
    fresh = Draft.objects.create(created_at=timezone.now())
    restore(kept)
    expire_now(fresh)
    run_until_idle()
    assert AgendaEntry.objects.filter(policy="drafts").exists()
    remove()
    let_pass(400 * DAY)
    migrate_trigger("install_sql")
    sync("default")
    state = PolicyState.objects.get(name="drafts")
    assert state.state == "observe"
    assert not AgendaEntry.objects.filter(policy="drafts").exists()
    assert [*RowException.objects.values_list("kind", flat=True)] == ["restored"]
    before = (state.state, [*AgendaEntry.objects.values_list("pk", flat=True)])
    rebuild()
    state.refresh_from_db()
    assert (state.state, [*AgendaEntry.objects.values_list("pk", flat=True)]) == before
    enable("drafts")
    backfill_all("drafts")
    run_until_idle(horizon=timedelta(0))
    assert Draft.objects.count() == 4, "new tombstones, and their whole grace"
    assert Event.objects.filter(kind="tombstoned", policy="drafts").count() >= 2
    let_pass(2 * HOUR)
    run_until_idle()
    assert {*Draft.objects.all()} == {kept}
    assert by_hand != stoned


@pytest.mark.slow
def test_an_empty_table_lets_it_come_back_enabled() -> None:
    remove()
    migrate_trigger("install_sql")
    sync("default")
    assert PolicyState.objects.get(name="drafts").state == "enabled"


@pytest.mark.slow
def test_a_key_of_another_type_empties_the_agenda() -> None:
    """The old keys name no row any more."""
    Draft.objects.create(created_at=timezone.now())
    PolicyState.objects.filter(name="drafts").update(key_kind="uuid")
    sync("default")
    assert not AgendaEntry.objects.filter(policy="drafts").exists()
    assert PolicyState.objects.get(name="drafts").state == "enabled"


@pytest.fixture
def _was_called_otherwise() -> None:
    """The database from before the model was renamed: with a hold, and a row in its grace."""
    hold(ExpiredDraftFactory.create_batch(2)[0])
    run_until_idle()
    assert Event.objects.filter(kind="tombstoned").exists()
    with connection.cursor() as cursor:
        for table in ("policy", "exception"):
            cursor.execute(f"UPDATE lifecycle_{table} SET model = 'zoo.sketch' WHERE model <> ''"
                           " AND model = 'zoo.draft'")  # fmt: skip
        cursor.execute("ALTER TABLE lifecycle_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE lifecycle_event SET model = 'zoo.sketch' WHERE model = 'zoo.draft'")
        cursor.execute("ALTER TABLE lifecycle_event ENABLE TRIGGER lifecycle_event_guard_rows")


@pytest.mark.slow
@pytest.mark.usefixtures("_was_called_otherwise")
def test_a_renamed_model_takes_its_holds_along() -> None:
    sync("default")
    assert RowException.objects.get().model == "zoo.draft"
    assert PolicyState.objects.get(name="drafts").state == "enabled"
    let_pass(2 * HOUR)
    run_until_idle()
    assert Draft.objects.count() == 2, "a new tombstone, and its whole grace"
    let_pass(2 * HOUR)
    run_until_idle()
    assert [events_of(row, "hold_placed") for row in Draft.objects.all()] == [[]], "the held one"
    rebuild()
    assert RowException.objects.get().model == "zoo.draft"
    release(Draft.objects.get())


def test_a_policy_on_another_model_begins_anew() -> None:
    """Row 5 of one table was tombstoned; row 5 of the other was not."""
    PolicyState.objects.filter(name="drafts").update(model="zoo.token")
    ExpiredDraftFactory()
    AgendaEntry.objects.update(tombstone=1)
    sync("default")
    assert PolicyState.objects.get(name="drafts").state == "observe"
    assert not AgendaEntry.objects.filter(policy="drafts").exists()
