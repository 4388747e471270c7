"""What else can lie between a backup and its recovery: each once, small."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import lifecycle
import purge
from lifecycle.models import Event
from lifecycle.policy import registry
from lifecycle.sealing.seal import seal_all
from purge import runner
from purge.models import Plan, Request
from purge.plans.carry_out import carry_out_all
from purge.proof.detect import State
from purge.proof.prune import prune
from purge.proof.verify import verify
from purge.proof.work import publish_now
from purge.requests.ask import retry
from purge.runner import run_due
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.purge.proof.support import USING, alarm, in_folder, options, state
from tests.purge.proof.test_prune import cover, missing
from tests.purge.recovery.restores import Backups
from tests.purge.recovery.test_from_proof import FUTURE, PAST, RECOVER, rows, whole
from tests.purge.recovery.test_interrupted import Killed, killed
from tests.support import Background, let_pass, renamed, run_until_idle
from tests.zoo.models import Badge, Coupon, Knock, Person, Spark, Token

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@contextmanager
def removed(name: str) -> Iterator[None]:
    """The site as it is after a policy was taken out of its code."""
    policy = registry._policies.pop(name)
    try:
        yield
    finally:
        registry._policies[name] = policy


def coupons(count: int, ends: Any = FUTURE) -> None:
    Coupon.objects.bulk_create(Coupon(code=f"c{n}", expires_at=ends) for n in range(count))


@pytest.mark.slow
def test_a_policy_was_renamed_since_the_backup(site: Backups) -> None:
    """Its rows end again under its new name; so do those that ended before it had that."""
    coupons(6)
    publish_now(USING)
    restore = site.template()
    Coupon.objects.filter(code="c0").update(expires_at=PAST)
    Coupon.objects.filter(code="c2").update(expires_at=FUTURE + HOUR)
    run_until_idle()
    with renamed("coupons", "vouchers") as declared:
        lifecycle.expire_now(Coupon.objects.get(code="c1"))
        run_until_idle()
        publish_now(USING)
        restore()
        assert "vouchers is not in this database: `manage.py migrate`" in fails(*RECOVER)
        assert state() is State.RESTORED
        declared()
        manage(*RECOVER)
        run_until_idle()
        assert rows(Coupon) == {"c2", "c3", "c4", "c5"}
        said = Event.objects.filter(cause="recovery").get()
        assert (said.policy, said.subjects) == ("vouchers", ["c2"])
        whole()
        lifecycle.expire_now(Coupon.objects.get(code="c2"))
        run_until_idle()
        assert rows(Coupon) == {"c3", "c4", "c5"}


@pytest.mark.slow
def test_a_policy_was_removed_since_the_backup(site: Backups) -> None:
    """What it had ended stays, and is told: somebody has to decide."""
    coupons(3)
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    restore = site.template()
    Coupon.objects.filter(code="c0").update(expires_at=PAST)
    run_until_idle()
    publish_now(USING)
    restore()
    with removed("coupons"):
        manage("migrate", "--verbosity", "0")
        assert "Tables have no policy any more: zoo.coupon." in fails(*RECOVER)
        data = json.loads(manage("lifecycle", "restore-report", "--json"))
        assert_documented("lifecycle restore-report", data)
        assert data["undeclared"] == {"zoo.coupon": 1}
        run_until_idle()
        assert rows(Coupon) == {"c0", "c1", "c2"}
        assert state() is State.NORMAL
    manage("migrate", "--verbosity", "0")
    assert "1 unsure" in fails("purge", "--replay", "--yes", "--policy", "coupons")


@pytest.mark.slow
def test_restored_to_the_middle_of_a_run(site: Backups) -> None:
    """After its first batch, of which nothing was sealed; the second was not committed."""
    Spark.objects.bulk_create(Spark(flash=True, expires_at=PAST) for _ in range(60))
    Spark.objects.create(flash=True, expires_at=FUTURE)
    publish_now(USING)
    with killed(runner, "settle", after=2), pytest.raises(Killed):
        run_due()
    assert Spark.objects.count() == 41
    restore = site.template()
    run_until_idle()
    publish_now(USING)
    restore()
    assert Spark.objects.count() == 41
    manage(*RECOVER)
    assert Spark.objects.get().expires_at == FUTURE
    assert Event.objects.get(kind="log_recovered").detail["missing"] < 12
    whole()


@pytest.mark.slow
@pytest.mark.parametrize("at", ["at the backup", "at the restore"])
def test_an_erasure_was_under_way(site: Backups, at: str) -> None:
    """It goes on, by its own reference, and ends."""
    people = [Person.objects.create(name=str(n)) for n in range(2)]
    if at == "at the backup":
        purge.erase(people[0], reference="R1", actor="dpo", grace=HOUR)
        run_until_idle()
    publish_now(USING)
    restore = site.template()
    if at == "at the restore":
        purge.erase(people[0], reference="R1", actor="dpo", grace=HOUR)
        run_until_idle()
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    restore()
    manage(*RECOVER)
    whole()
    assert rows(Person) == {person.pk for person in people}
    let_pass(2 * HOUR)
    run_until_idle()
    assert rows(Person) == {people[1].pk}
    ended = Event.objects.get(kind="purged", model="zoo.person")
    assert ended.detail["reference"] == "R1"


class Writers:
    """Threads that insert, update and take rows until they are told to stop."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.kept: set[int] = set()
        self.threads = [Background(self._write) for _ in range(2)]

    def _write(self) -> set[int]:
        kept = set[int]()
        while not self.stop.is_set():
            row = Token.objects.create(label="mine", expires_at=FUTURE)
            Token.objects.filter(pk=row.pk).update(expires_at=FUTURE + HOUR)
            Coupon.objects.filter(code="c4").update(expires_at=FUTURE + HOUR)
            kept.add(row.pk)
            time.sleep(0.005)
        return kept

    def end(self) -> set[int]:
        """The rows that have to be there."""
        self.stop.set()
        return {pk for each in self.threads for pk in each.result()}


@pytest.mark.slow
def test_online_beside_busy_writers(site: Backups) -> None:
    """Nothing that they write is lost, and no row of theirs ends."""
    coupons(6)
    Token.objects.bulk_create(Token(expires_at=FUTURE) for _ in range(40))
    publish_now(USING)
    restore = site.template()
    Coupon.objects.filter(code__in=["c0", "c1"]).update(expires_at=PAST)
    Token.objects.filter(pk__lte=Token.objects.order_by("pk")[9].pk).update(expires_at=PAST)
    Coupon.objects.filter(code__in=["c3", "c4"]).update(expires_at=FUTURE + 9 * HOUR)
    run_until_idle()
    there = rows(Token)
    publish_now(USING)
    restore()
    writers = Writers()
    try:
        manage(*RECOVER, "--online")
        time.sleep(0.2)
    finally:
        written = writers.end()
    run_until_idle()
    assert len(written) > 10
    assert rows(Token) == there | written
    assert rows(Coupon) == {"c2", "c3", "c4", "c5"}
    assert set(Event.objects.filter(cause="recovery").get().subjects) == {"c3"}
    whole()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before the backup", "after it"])
def test_a_fork_of_a_ledger_that_was_pruned(
    site: Backups, tmp_path: Path, settings: Any, when: str
) -> None:
    settings.LIFECYCLE_BACKUP_MAX_AGE = 60.0
    coupons(3, PAST)
    run_until_idle()
    let_pass(48 * HOUR)
    cover()
    Coupon.objects.create(code="lives", expires_at=FUTURE)
    publish_now(USING)
    with in_folder(tmp_path / "store", keep=24 * HOUR):
        if when == "before the backup":
            assert prune(USING, options())
            publish_now(USING)
        restore = site.template()
        if when == "after it":
            assert prune(USING, options())
        assert missing()
        Coupon.objects.filter(code="lives").update(expires_at=PAST)
        run_until_idle()
        publish_now(USING)
        restore()
        Token.objects.create(label="fork", expires_at=FUTURE)
        seal_all(USING)
        assert state() is State.FORKED
        lines = manage("lifecycle", "proof", "--missing").splitlines()
        assert "purged" in {json.loads(line)["kind"] for line in lines}
        manage(*RECOVER)
        assert rows(Coupon) == set()
        assert [each.label for each in Token.objects.all()] == ["fork"]
        publish_now(USING)
        assert (state(), alarm()) == (State.NORMAL, {})
        found = verify(USING, options(), deep=True)
        assert (found.problems, found.unread) == ([], [])
        assert bool(missing()) == (when == "before the backup")  # else they go once more, later


@pytest.mark.slow
def test_windows_end_again(site: Backups) -> None:
    """Those that name no rows in the same command, by what the columns say; what is held stays."""
    Badge.objects.bulk_create(Badge(secret=f"s{n}", until=PAST) for n in range(3))
    Badge.objects.create(secret="new", until=FUTURE)
    knocks = [Knock.objects.create(until=PAST) for _ in range(3)]
    publish_now(USING)
    restore = site.template()
    run_until_idle()
    publish_now(USING)
    assert rows(Badge) == {"new"}
    restore()
    assert len(rows(Badge)) == 4
    manage(*RECOVER)
    assert rows(Badge) == {"new"}
    assert len(rows(Knock)) == len(knocks)
    whole()


@pytest.mark.slow
def test_before_a_new_beginning(site: Backups) -> None:
    """Refused, with what is left to do; a backup from after it is recovered as ever."""
    publish_now(USING)
    restore = site.template()
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    old = site.template()
    restore()
    assert state() is State.RESTORED
    said = manage("lifecycle", "proof", "--begin-anew", "--actor", "Ada")
    assert "Make a backup now" in said
    publish_now(USING)
    newer = site.template()
    row = Coupon.objects.create(code="c", expires_at=PAST)
    run_until_idle()
    publish_now(USING)
    old()
    found = Event.objects.count()
    said = fails(*RECOVER)
    assert "went on as example.org/ledger/2" in said
    assert Event.objects.count() == found
    newer()
    manage(*RECOVER)
    assert row.pk not in rows(Coupon)
    publish_now(USING)
    assert (state(), alarm()) == (State.NORMAL, {})
    assert verify(USING, options(), deep=True).problems == []
    old()
    manage("lifecycle", "proof", "--begin-anew", "--actor", "Ada")
    publish_now(USING)
    assert (state(), alarm()) == (State.NORMAL, {})


@pytest.mark.slow
def test_plans_go_on_as_the_ledger_says(site: Backups) -> None:
    """One withdrawn since the backup is over; one made since the restore is not."""
    coupons(5)
    chosen = {"reason": "x", "actor": "jo"}
    two = Coupon.objects.filter(code__in=("c0", "c1"))
    made = purge.plan("purge", two, policy="coupons", **chosen)
    purge.apply_plan(made.pk, 2, "jo")
    publish_now(USING)
    restore = site.template()
    purge.withdraw_plan(made.pk, "kim")
    publish_now(USING)
    restore()
    late = purge.plan("hold", Coupon.objects.filter(code="c4"), **chosen)
    purge.apply_plan(late.pk, 1, "jo")
    manage(*RECOVER)
    carry_out_all(USING)
    assert rows(Coupon) == {f"c{n}" for n in range(5)}
    assert Plan.objects.get(pk=made.pk).state == "withdrawn"
    assert Plan.objects.get(pk=late.pk).state == "done"
    assert [each.key for each in lifecycle.holds()] == ["c4"]
    whole()


@pytest.mark.slow
def test_no_hold_is_released_by_a_plan_before_the_recovery(site: Backups) -> None:
    """It may have been withdrawn since the backup, which the ledger does not know yet."""
    coupons(2)
    lifecycle.hold(Coupon.objects.get(code="c0"), reason="court")
    made = purge.plan("release", Coupon.objects.all(), reason="x", actor="jo")
    purge.apply_plan(made.pk, 1, "jo")
    publish_now(USING)
    restore = site.template()
    purge.withdraw_plan(made.pk, "kim")
    publish_now(USING)
    restore()
    carry_out_all(USING)
    assert [each.key for each in lifecycle.holds()] == ["c0"]
    manage(*RECOVER)
    carry_out_all(USING)
    assert [each.key for each in lifecycle.holds()] == ["c0"]
    whole()


@pytest.mark.slow
def test_a_request_that_was_answered_since_the_backup(site: Backups) -> None:
    """The answer comes back with the history; what was opened since the restore keeps its place."""
    people = [Person.objects.create(name=name) for name in ("Ann", "Bob", "Cy")]
    for number, row in enumerate(people):
        lifecycle.hold(row, reason="court", reference=f"C{number}")
    for number, row in enumerate(people[:2]):
        purge.request_erasure(row, f"R{number}", actor="dpo", grace=timedelta(0))
    publish_now(USING)
    restore = site.template()
    answered, erased = Request.objects.order_by("pk")
    purge.answer_request(answered.pk, "a contract that still runs", "dpo")
    for number in range(2):
        lifecycle.release(reference=f"C{number}")
    assert retry() == 1
    assert erased.key == str(people[1].pk)
    left = {people[0].pk, people[2].pk}
    assert rows(Person) == left
    publish_now(USING)
    restore()
    late = purge.request_erasure(people[2], "R2", actor="dpo", grace=timedelta(0))
    manage(*RECOVER)
    assert rows(Person) == left
    whole()
    answered.refresh_from_db()
    erased.refresh_from_db()
    assert (answered.answer, bool(erased.done_at)) == ("a contract that still runs", True)
    assert Request.objects.get(reference="R2").pk > late.pk, "its event has moved"
    let_pass(2 * HOUR)
    retry()
    run_until_idle()
    assert rows(Person) == left
    lifecycle.release(reference="C2")
    retry()
    assert rows(Person) == {people[0].pk}
