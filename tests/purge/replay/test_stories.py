"""Rows that a dump from before their end brings back: each is ended again, or listed as unsure."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, Model, Q
from django.utils import timezone

import lifecycle
import purge
from lifecycle.exceptions import LifecycleError
from lifecycle.install import after_migrate as sync
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event
from lifecycle.policy import registry
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import OPTIONS, Policy
from lifecycle.policy.registry import get_policy
from lifecycle.testing import capture_off, run_until
from purge.models import Resurrected, Run
from purge.replay.model import Replay, Report
from purge.replay.plan import carry_out, forget, plan
from tests.purge.replay.dumps import dump, load
from tests.support import sampled
from tests.zoo.models import Account, Client, Coupon, Member, Ticket, Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(2, 11)]

HOUR = timedelta(hours=1)
NOW = timezone.now()
PAST, FUTURE = NOW - 2 * HOUR, NOW + timedelta(days=40)


def nothing(row: Any) -> None:
    pass


def write(**fields: Any) -> Callable[[Any], None]:
    return lambda row: type(row).objects.filter(pk=row.pk).update(**fields)


@contextmanager
def lengthened(name: str, by: timedelta) -> Iterator[None]:
    """The site after a policy's rows were given more time, and `migrate`."""
    policy = get_policy(name)
    values = {option: getattr(policy, option) for option in OPTIONS}
    expires = F(policy.expires.name) + by
    registry._policies[name] = Policy(name, policy.model, **values | {"expires": expires})
    try:
        sync.store(registry._policies[name], "default")
        yield
    finally:
        registry._policies[name] = policy


@dataclass
class Story:
    """`row` is dumped, then `before` happens, it ends, comes back, and `after` happens."""

    row: Callable[[], Model]
    verdict: str
    before: Callable[[Any], None] = nothing
    after: Callable[[Any], Any] = nothing
    back: Callable[[Path, bool], None] = load
    site: Callable[[], AbstractContextManager[Any]] = nullcontext
    with_triggers: str = ""  # another verdict where the triggers saw the row come back


def member(**fields: Any) -> Callable[[], Model]:
    return lambda: Member.objects.create(**fields)


def another(path: Path, triggers: bool) -> None:
    """No restore, but a new row under the key, with the old row's dates."""
    old = Event.objects.get(kind="purged")
    (key,) = old.subjects
    table = {"zoo_member": Member, "zoo_coupon": Coupon}[path.stem]
    with nullcontext() if triggers else capture_off():
        table.objects.create(pk=key, expires_at=PAST)


def host_deletes(row: Any) -> None:
    type(row).objects.filter(pk=row.pk).delete()


STORIES = {
    "as it was": Story(member(expires_at=PAST), "ended"),
    "policy lengthened since": Story(
        member(expires_at=PAST), "ended", site=lambda: lengthened("members", timedelta(days=900)),
        with_triggers="unsure",
    ),
    "no expiry in the dump": Story(member(), "ended", before=write(expires_at=PAST)),
    "outside `when` in the dump": Story(
        member(expires_at=PAST, status="live"), "ended", before=write(status="draft")
    ),
    "expired by hand": Story(
        member(expires_at=FUTURE), "ended",
        before=lambda row: lifecycle.expire_now(row, policy="members"), with_triggers="unsure",
    ),
    "shortened after the dump": Story(
        member(expires_at=FUTURE), "ended", before=write(expires_at=PAST), with_triggers="unsure"
    ),
    "deleted by the host": Story(
        member(expires_at=FUTURE), "ended", before=host_deletes, with_triggers="unsure"
    ),
    "deleted by the host, it had no end": Story(member(), "ended", before=host_deletes),
    "deleted by the host, without an identity": Story(
        lambda: Token.objects.create(expires_at=FUTURE), "unsure", before=host_deletes
    ),
    "updated": Story(member(email="a@b.c", status="live", left_at=PAST), "ended"),
    "updated, policy lengthened since": Story(
        member(email="a@b.c", status="live", left_at=PAST), "ended",
        site=lambda: lengthened("member-mails", timedelta(days=900)), with_triggers="unsure",
    ),
    "updated, no end in the dump": Story(
        member(email="a@b.c", status="live"), "unsure", before=write(left_at=PAST)
    ),
    "updated, without an identity": Story(
        lambda: Account.objects.create(seen_at=NOW - timedelta(days=50)), "ended"
    ),
    "text key re-used with old dates": Story(
        # Nobody can tell it from the row that had expired and ended.
        lambda: Coupon.objects.create(code="TEN", expires_at=PAST), "ended", back=another
    ),
    "text key, never re-used": Story(
        lambda: Coupon.objects.create(code="TEN", expires_at=PAST), "ended"
    ),
    "text key, written again with other dates": Story(
        lambda: Coupon.objects.create(code="TEN", expires_at=FUTURE), "unsure",
        before=write(expires_at=PAST),
    ),
    "no identity, had not expired by its columns": Story(
        lambda: Token.objects.create(expires_at=FUTURE), "unsure", before=write(expires_at=PAST)
    ),
    "a UUID key, changed after the dump": Story(
        lambda: Ticket.objects.create(expires_at=FUTURE), "unsure", before=write(expires_at=PAST)
    ),
    "a UUID key, as it was when the host deleted it": Story(
        lambda: Ticket.objects.create(expires_at=FUTURE), "ended", before=host_deletes,
        with_triggers="unsure",
    ),
    "a UUID key, and it had expired by its columns": Story(
        lambda: Ticket.objects.create(expires_at=PAST), "ended"
    ),
    "loaded back on purpose": Story(
        member(expires_at=PAST), "newer", after=lambda row: lifecycle.loaded(row)
    ),
    "many loaded back on purpose": Story(
        member(expires_at=PAST), "newer",
        after=lambda row: lifecycle.loaded(Member.objects.filter(pk=row.pk)),
    ),
    "restored on purpose": Story(
        member(expires_at=PAST), "newer", after=lambda row: lifecycle.restore(row)
    ),
    "held": Story(member(expires_at=PAST), "held", after=lambda row: lifecycle.hold(row)),
    "its policy held": Story(
        member(expires_at=PAST), "held", after=lambda row: lifecycle.hold("members")
    ),
    "deleted by the host, a policy of the table paused": Story(
        member(expires_at=FUTURE), "blocked", before=host_deletes,
        after=lambda row: states.pause("members", "ann"), with_triggers="unsure",
    ),
    "its policy paused": Story(
        member(expires_at=PAST), "blocked", after=lambda row: states.pause("members", "ann")
    ),
    "new row under an old integer key": Story(member(expires_at=PAST), "newer", back=another),
}  # fmt: skip


def replay(**options: Any) -> Report:
    how = Replay(actor="ann", **options)
    planned = plan(how)
    done = carry_out(how)
    assert {by: dict(c) for by, c in planned.counts.items()} == {
        by: dict(c) for by, c in done.counts.items()
    }
    return done


def verdicts(report: Report) -> dict[str, int]:
    """All but those that are gone."""
    found = ("ended", "newer", "held", "blocked", "unsure")
    return {name: report.total(name) for name in found if report.total(name)}


@pytest.mark.parametrize(
    "triggers", sampled([False, True]), ids=["past the triggers", "with triggers"]
)
@pytest.mark.parametrize(
    "story",
    [pytest.param(s, marks=[pytest.mark.plants(12)] if "paused" in s else []) for s in STORIES],
)
def test_story(story: str, triggers: bool, tmp_path: Path) -> None:
    told = STORIES[story]
    row: Any = told.row()
    table = row._meta.db_table
    path = dump(table, tmp_path)
    told.before(row)
    run_until(timezone.now() + 2 * HOUR)
    ending = Event.objects.filter(kind__in=("purged", "deleted", "updated")).latest("id")
    if ending.kind == "updated":
        take_away(table, triggers)
    told.back(path, triggers)
    with told.site():
        told.after(row)
        events = Event.objects.count()
        report = replay()
        wanted = (told.with_triggers if triggers else "") or told.verdict
        assert verdicts(report) == {wanted: 1}, report
        again = Event.objects.filter(pk__gt=ending.pk, cause="replay").exclude(
            kind="expiry_scheduled"
        )
        if wanted != "ended":
            assert Event.objects.count() == events
            assert type(row).objects.filter(pk=row.pk).exists()
        else:
            (event,) = again
            assert (event.kind, event.policy) == (ending.kind, ending.policy)
            assert (event.subjects, event.actor) == ([str(row.pk)], "ann")
            if ending.kind == "updated":
                assert type(row).objects.get(pk=row.pk).email == ""
            else:
                assert not type(row).objects.filter(pk=row.pk).exists()
        events = Event.objects.count()
        second = replay()
        assert second.total("ended") == 0
        assert verdicts(second) == ({} if wanted == "ended" else {wanted: 1})
        assert Event.objects.count() == events
    assert not Resurrected.objects.exists()
    assert Run.objects.filter(origin="replay").count() == (wanted == "ended")


def take_away(table: str, triggers: bool) -> None:
    """What a restore does to a table before it fills it."""
    with transaction.atomic(), connection.cursor() as cursor:
        if triggers:
            cursor.execute(f"TRUNCATE {table} CASCADE")
        else:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(f"DELETE FROM {table}")


def test_a_row_that_the_site_changed_back_and_keeps_is_not_updated_again() -> None:
    policy = get_policy("accounts")
    values = {option: getattr(policy, option) for option in OPTIONS}
    row = Account.objects.create(seen_at=NOW - timedelta(days=50))
    run_until(timezone.now() + 2 * HOUR)
    kept = Policy("accounts", Account, **values | {"keep_while": Q(email="keep")})
    registry._policies["accounts"] = kept
    try:
        sync.store(kept, "default")
        Account.objects.filter(pk=row.pk).update(active=True, email="keep")
        assert verdicts(replay()) == {"newer": 1}
    finally:
        registry._policies["accounts"] = policy


def test_what_was_changed_on_request_is_known_by_its_columns() -> None:
    row = Client.objects.create(email="a@b.c")
    purge.erase(row, reference="DSR-1", actor="ann")
    assert verdicts(replay()) == {}
    with capture_off():
        Client.objects.filter(pk=row.pk).update(email="a@b.c")
    assert verdicts(replay()) == {"unsure": 1}, "it has no identity"


def test_what_was_changed_on_request_is_changed_again_where_an_identity_tells() -> None:
    policy = Policy("members-asked", Member, on_request=True, disposition=Update(email=""))
    registry._policies[policy.name] = policy
    try:
        sync.store(policy, "default")
        row = Member.objects.create(email="a@b.c")
        purge.erase(row, reference="DSR-1", actor="ann")
        with capture_off():
            Member.objects.filter(pk=row.pk).update(email="a@b.c")
        assert verdicts(replay()) == {"ended": 1}
        assert Member.objects.get().email == ""
        assert verdicts(replay()) == {}
    finally:
        del registry._policies[policy.name]


def test_a_plan_that_another_replay_has_forgotten_is_not_carried_out() -> None:
    Token.objects.create(expires_at=FUTURE).delete()
    with capture_off():
        Token.objects.create(pk=Event.objects.latest("id").subjects[0], expires_at=FUTURE)
    late, other = Replay(actor="ann"), Replay(actor="jo", dry=True)
    plan(late)
    Run.objects.update(last_batch_at=NOW - HOUR)
    plan(other)
    forget(other)
    with pytest.raises(LifecycleError, match="waited too long"):
        carry_out(late)
    assert not Run.objects.exists()
