"""The newest and the oldest rows of a group are kept: `KeepNewest`, `KeepOldest`."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import Q

import lifecycle
import purge
from lifecycle import KeepNewest, KeepOldest, Policy, Signals, Window
from lifecycle.checks.expressions import compiles
from lifecycle.checks.groups import group_has_an_index
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.exceptions import PolicyError
from lifecycle.insight import declared
from lifecycle.models import AgendaEntry, Event
from lifecycle.policy.registry import get_policy
from purge.runner import run_due
from tests.purge.archive.engine import archiving, manifests
from tests.support import database_now, let_pass, run_until_idle, session
from tests.zoo.models import Clip, Draught, Login, Song

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
database = pytest.mark.django_db(transaction=True)


def logins(*ages: float, account: int | None = 1, **values: Any) -> list[Login]:
    """Rows of an account that are so many hours old; an hour old ones are past their end."""
    now = database_now()
    rows = [Login(account=account, at=now - timedelta(hours=age), **values) for age in ages]
    return Login.objects.bulk_create(rows)


def left() -> set[int]:
    run_until_idle()
    return set(Login.objects.values_list("pk", flat=True))


def keys(*rows: Login) -> set[int]:
    return {row.pk for row in rows}


@database
def test_first_and_newest_of_each_account_stay() -> None:
    first, _, _, older, newest = logins(90, 80, 70, 60, 50)
    alone, other = logins(95, 94, account=2)
    assert left() == keys(first, older, newest, alone, other)
    assert Event.objects.get(kind="purged").count == 2


@database
def test_a_new_row_ends_the_one_that_it_displaces_at_once() -> None:
    first, second, third = logins(90, 80, 70)
    assert left() == keys(first, second, third)
    (new,) = logins(0)  # its own end is an hour away
    assert set(Login.objects.live()) == {first, third, new}
    assert left() == keys(first, third, new)


@database
def test_a_row_that_is_moved_into_a_group_displaces_another() -> None:
    first, second, third = logins(90, 80, 70)
    (other,) = logins(0, account=2)
    assert left() == keys(first, second, third, other)
    Login.objects.filter(pk=other.pk).update(account=1)
    assert left() == keys(first, third, other)


@database
def test_a_row_that_matches_now_displaces_another() -> None:
    first, second, third = logins(90, 80, 70)
    (unreal,) = logins(60, real=False)
    assert left() == keys(first, second, third, unreal)
    Login.objects.filter(pk=unreal.pk).update(real=True)
    assert left() == keys(first, third, unreal)


@database
def test_rows_of_no_group_or_no_time_stay_and_count_for_none() -> None:
    nobody = logins(90, 80, 70, 60, account=None)
    first, second, third = logins(90, 80, 70)
    timeless = Login.objects.create(account=1, at=None)
    assert left() == keys(*nobody, first, second, third, timeless)


@database
def test_of_rows_of_one_moment_the_higher_keys_are_newer() -> None:
    now = database_now() - 9 * HOUR
    rows = Login.objects.bulk_create(Login(account=1, at=now) for _ in range(5))
    assert left() == keys(rows[0], rows[3], rows[4])


@database
def test_held_and_pinned_rows_count_as_others() -> None:
    first, held, pinned, older, newest = logins(90, 80, 70, 60, 50)
    number = lifecycle.hold(held)
    Login.objects.filter(pk=pinned.pk).update(pinned=True)
    assert left() == keys(first, held, pinned, older, newest)
    lifecycle.release(number)
    assert left() == keys(first, pinned, older, newest)


@pytest.mark.slow
@database
def test_a_row_is_brought_back_when_a_newer_one_goes() -> None:
    rows = [Draught.objects.create(title=str(number)) for number in range(5)]
    run_until_idle()
    assert list(Draught.objects.tombstoned().order_by("pk")) == rows[:2]
    rows[4].delete()
    assert list(Draught.objects.tombstoned()) == rows[:1]
    let_pass(2 * HOUR)
    run_until_idle()
    assert list(Draught.objects.order_by("pk")) == rows[1:4]
    Draught.objects.create()
    run_until_idle()
    assert list(Draught.objects.tombstoned()) == rows[1:2]


@database
def test_expired_by_hand_a_kept_row_stays_unless_it_is_said_that_it_must_not() -> None:
    first, second, third = logins(90, 80, 70)
    lifecycle.expire_now(third)
    assert left() == keys(first, second, third)
    purge.run("logins", within=timedelta(0), keep=["first", "pinned"], actor="jo")
    assert left() == keys(first)


@database
def test_counted_out_rows_go_into_an_archive_first(tmp_path: Path, settings: Any) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    first, second, third, newest = logins(90, 80, 70, 60)
    with archiving("logins"), session() as other:
        deleted(other, newest)
        run_due()
        assert Login.objects.filter(pk=second.pk).exists()
        other.rollback()
        let_pass(timedelta(seconds=5))
        assert left() == keys(first, third, newest)
    (told,) = manifests(tmp_path)
    assert told["rows"] == 1


@database
def test_a_row_that_must_go_counts_out_no_other() -> None:
    """A row of a group is expired in spite of what keeps it, in the batch of an older one."""
    first, second, third = logins(90, 80, 70)
    left()
    (new,) = logins(2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lifecycle.write_v1('expired_by_hand', 'logins', 'zoo.login',"
            " lifecycle.one_v1('bigint', %s::text), 1, NULL, lifecycle.now_v1(), NULL,"
            """ '{"without": ["newest", "first"]}', NULL)""",
            [new.pk],
        )
    assert left() == keys(first, second, third)


Change = Callable[[psycopg.Connection[Any], Login], object]


def deleted(other: psycopg.Connection[Any], row: Login) -> None:
    other.execute("DELETE FROM zoo_login WHERE id = %s", [row.pk])


def moved(other: psycopg.Connection[Any], row: Login) -> None:
    other.execute("UPDATE zoo_login SET account = 7 WHERE id = %s", [row.pk])


def made_older(other: psycopg.Connection[Any], row: Login) -> None:
    other.execute("UPDATE zoo_login SET at = at - interval '9 days' WHERE id = %s", [row.pk])


def made_unreal(other: psycopg.Connection[Any], row: Login) -> None:
    other.execute("UPDATE zoo_login SET real = false WHERE id = %s", [row.pk])


@database
@pytest.mark.parametrize("commits", [True, False], ids=["committed", "rolled-back"])
@pytest.mark.parametrize(
    ("change", "gone"), [(deleted, 3), (moved, None), (made_older, 0), (made_unreal, None)]
)
def test_a_newer_row_that_somebody_is_changing_counts_nobody_out(
    change: Change, gone: int | None, commits: bool
) -> None:
    """Once it is committed, who goes is another row, or none."""
    first, second, third, newest = logins(90, 80, 70, 60)
    with session() as other:
        change(other, newest)
        run_due()
        assert Login.objects.filter(pk=second.pk).exists()
        assert AgendaEntry.objects.filter(event__detail__relisted="locked").exists()
        (other.commit if commits else other.rollback)()
    let_pass(timedelta(seconds=5))
    rows = [first, second, third, newest]
    goes = gone if commits else 1
    assert left() == keys(*rows) - ({rows[goes].pk} if goes is not None else set())


@database
def test_a_row_that_is_not_committed_counts_nobody_out() -> None:
    first, second, third = logins(90, 80, 70)
    with session() as other:
        other.execute("INSERT INTO zoo_login (account, at, real, pinned)"
                      " VALUES (1, now() - interval '9 hours', true, false)")  # fmt: skip
        assert left() == keys(first, second, third)
        other.rollback()
    assert left() == keys(first, second, third)


@database
def test_two_writers_that_do_not_see_each_other_displace_two() -> None:
    first, second, third = logins(90, 80, 70)
    left()
    insert = "INSERT INTO zoo_login (account, at, real, pinned) VALUES (1, now(), true, false)"
    with session() as one, session() as two:
        one.execute(insert)
        two.execute(insert)
        one.commit()
        assert second.pk not in left()
        two.commit()
    assert left() - keys(first) == set(
        Login.objects.order_by("-at", "-pk").values_list("pk", flat=True)[:2]
    )
    assert third.pk not in left()


@pytest.mark.slow
@database
def test_a_batch_reads_groups_by_their_index() -> None:
    logins(*range(2, 100), account=1)
    for account in range(2, 12):
        logins(*range(100, 110), account=account)
    run_until_idle()
    Login.objects.bulk_create(
        Login(account=account, at=database_now() - 3 * HOUR, real=False)
        for account in range(100, 3100)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE zoo_login")
    read = read_rows()
    logins(0, account=1)
    run_until_idle()
    assert read_rows() - read < 3000  # a reading of the table is more


def read_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'zoo_login'")
        return int(cursor.fetchone()[0])


@database
def test_said_in_words_and_by_why() -> None:
    said = declared.kept(get_policy("logins"))
    assert "newest: it is one of the 2 newest by at of rows with the same account" in said, said
    assert "one of the 3 newest by made_at of all rows" in declared.kept(get_policy("draughts"))


def policy(keep: Any, model: Any = Login, **options: Any) -> Policy:
    return Policy("some", model, **{"expires": "at"} | options, keep_while=keep)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: KeepNewest(0), "keeps 1 to 1,000 rows of a group, not 0"),
        (lambda: KeepNewest(True), "not True"),
        (lambda: KeepOldest(1, per=[3]), "KeepOldest takes names of fields, not 3"),
        (lambda: policy(KeepNewest(2, per="acount", by="at")), "did you mean 'account'"),
        (lambda: policy(KeepNewest(2, per="account")), "needs `by`"),
        (lambda: policy(KeepNewest(2, by="at"), capture=Signals()), "needs capture=Rows()"),
        (lambda: policy(KeepNewest(2, by="at"), capture=Window("1 day")), "needs capture=Rows()"),
        (
            lambda: policy(KeepNewest(2, by="at"), expires=None, on_request=True),
            "on_request=True do not go together",
        ),
        (
            lambda: policy(KeepNewest(2, by="expires_at"), Clip, expires="expires_at"),
            "needs a table of its own",
        ),
        (
            lambda: policy(KeepNewest(2, per="take", by="expires_at"), Song, expires="expires_at"),
            "reads the table's own columns, not 'take'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(wrong: Callable[[], Any], why: str) -> None:
    with pytest.raises(PolicyError) as refused:
        wrong()
    assert why.lower() in str(refused.value).lower()


@pytest.mark.parametrize(
    ("keep", "asked"),
    [
        (KeepNewest(2, per="account", by="at"), ""),
        ({"first": KeepOldest(2, per=["account"], by="at")}, ""),
        (KeepNewest(2, by="at"), "No index begins with at: KeepNewest reads the whole table"),
        (KeepNewest(2, per="real", by="at"), "No index begins with real, at: KeepNewest reads all"),
        (KeepNewest(2, per="account", by="id"), "No index begins with account, id"),
        (KeepNewest(2, by="id"), ""),
    ],
)
def test_a_group_without_an_index_is_told(keep: Any, asked: str) -> None:
    told = group_has_an_index(policy(keep))
    assert [each.id for each in told] == (["lifecycle.W049"] if asked else [])
    assert not told or asked in told[0].msg


def test_inside_of_a_condition_it_is_refused_by_the_check() -> None:
    (found,) = compiles(policy(Q(KeepNewest(2, by="at")) & Q(pinned=True)))
    assert "stands alone" in found.msg


def test_the_declaration_is_another_one_with_each_part() -> None:
    alike = [policy(KeepNewest(2, per="account", by="at")) for _ in range(2)]
    others = [
        policy(KeepNewest(3, per="account", by="at")),
        policy(KeepNewest(2, by="at")),
        policy(KeepOldest(2, per="account", by="at")),
        policy(KeepNewest(2, per="account", by="id")),
        policy({"newest": KeepNewest(2, per="account", by="at")}),
    ]
    assert len({fingerprint(each) for each in alike}) == 1
    assert len({fingerprint(each) for each in (alike[0], *others)}) == 6
