"""What a simulation says, and that it touches nothing: docs/how-to/look-ahead.md."""

import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import expire_now, hold, restore
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from purge.forecasts import simulate as simulating
from purge.forecasts.simulate import Simulated, beside, changed, simulate
from purge.models import Forecast
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.support import let_pass, run_until_idle
from tests.vacuuming import unvacuumed
from tests.zoo.models import Account, Draft, Life, Picture, Preference, Token

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def lives(*days: float, **more: Any) -> list[Life]:
    noon = timezone.now()
    more.setdefault("grace", timedelta(0))
    return [Life.objects.create(expires_at=noon + each * DAY, **more) for each in days]


def of(name: str, days: float = 30, **how: Any) -> Simulated:
    (one,) = simulate([get_policy(name)], timezone.now() + days * DAY, **how)
    return one


def drafts(*ages: float) -> list[Draft]:
    """They end a day and an hour after this."""
    now = timezone.now()
    return [Draft.objects.create(created_at=now - each * DAY) for each in ages]


def test_rows_by_the_day_on_which_they_end() -> None:
    lives(3, 3, 5, 40)
    assert of("lives").days == {3: 2, 5: 1}
    assert of("lives", 4).days == {3: 2}
    assert of("lives").rows == 3


def test_the_grace_comes_after_the_end() -> None:
    lives(3, grace=2 * DAY)
    assert of("lives").days == {5: 1}
    assert of("lives", 4).days == {}


def test_what_keeps_rows() -> None:
    held, until, restored, _ = lives(3, 3, 3, 3)
    lives(3, wanted=True)
    hold(held, reason="case")
    hold(until, reason="case", until=timezone.now() + 6 * DAY)
    restore(restored)
    one = of("lives")
    assert (one.held, one.kept, one.restored) == (1, 1, 1)
    assert one.days == {3: 1, 6: 1}, "a hold with an end moves the row's own"


def test_a_held_policy_ends_nothing() -> None:
    lives(3)
    hold("lives", reason="case")
    one = of("lives")
    assert (one.held, one.days) == (1, {})


def test_a_row_ended_by_hand() -> None:
    (row,) = lives(60)
    expire_now(row)
    assert of("lives").days == {0: 1}


def test_the_past() -> None:
    lives(-3, -3, 2)
    assert of("lives").days == {0: 2, 2: 1}
    assert of("lives", past=True).days == {-3: 2, 2: 1}


def test_it_writes_nothing_and_locks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lives(1)
    before = Event.objects.count()
    seen = []
    read = simulating._read

    def noting(*args: Any) -> None:
        read(*args)
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            seen.append(cursor.fetchone()[0])
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
                " AND locktype = 'relation' AND mode <> 'AccessShareLock'"
            )
            seen.append(cursor.fetchone()[0])

    monkeypatch.setattr(simulating, "_read", noting)
    of("lives")
    assert seen == ["on", 0]
    assert Event.objects.count() == before


def test_a_large_table_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    Account.objects.bulk_create(Account(seen_at=now - number * HOUR) for number in range(1000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE zoo_account")
    true = of("accounts", 5)
    monkeypatch.setattr(simulating, "_read", lambda *_: slow())
    guess = of("accounts", 5, patience=0.01)
    assert (guess.days, guess.unread) == ({}, "")
    assert guess.estimate is not None
    assert abs(guess.estimate - true.rows) < 0.1 * 1000
    assert guess.rows == guess.estimate
    assert of("preferences", 5, patience=0.01).unread == "its table is too large to be read here"


RELATION = """SELECT pg_restore_relation_stats('schemaname', current_schema()::text,
    'relname', 'zoo_account', 'relpages', 1, 'reltuples', %s::real)"""
SEEN = """SELECT pg_restore_attribute_stats('schemaname', current_schema()::text,
    'relname', 'zoo_account', 'attname', 'seen_at', 'inherited', false, 'null_frac', 0::real,
    'avg_width', 8, 'n_distinct', -1::real, 'histogram_bounds', %s::timestamptz[]::text)"""
ACTIVE = """SELECT pg_restore_attribute_stats('schemaname', current_schema()::text,
    'relname', 'zoo_account', 'attname', 'active', 'inherited', false, 'null_frac', 0::real,
    'avg_width', 1, 'n_distinct', 1::real, 'most_common_vals', '{t}'::text,
    'most_common_freqs', '{1}'::real[])"""
MANY, SEEN_FOR = 500_000_000, 100


@pytest.mark.slow
def test_500_million_rows_are_answered_in_ten_seconds_and_said_to_be_estimated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their statistics are; reading the table takes as long as one waits for it."""
    if connection.pg_version < 180000:
        pytest.skip("statistics cannot be given to a table before PostgreSQL 18")
    now = timezone.now()
    Account.objects.create(seen_at=now)
    monkeypatch.setattr(simulating, "_read", lambda *_: slow())
    with unvacuumed("zoo_account"), connection.cursor() as cursor:
        cursor.execute(RELATION, [MANY])
        cursor.execute(SEEN, [[now - day * DAY for day in range(SEEN_FOR, -1, -1)]])
        cursor.execute(ACTIVE)
        began = time.monotonic()
        until = now.isoformat(timespec="seconds")
        said = manage(
            "lifecycle", "simulate", "--policy", "accounts", "--age", "14d", "--until", until
        )
        took = time.monotonic() - began
        alone = of("accounts", 0)
    assert took < 10
    more, was, would = (int(each) for each in re.findall(r"about (\d+)", said))
    assert more == would - was
    assert abs(was - 0.70 * MANY) < 0.01 * MANY
    assert abs(would - 0.86 * MANY) < 0.01 * MANY
    assert "An estimate, by the planner's statistics: nothing was counted." in said
    assert alone.estimate is not None
    assert abs(alone.estimate - was) < 0.01 * MANY


def test_a_count_is_not_compared_with_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    Account.objects.create(seen_at=timezone.now())
    policy, read = get_policy("accounts"), simulating._read

    def slow_if_changed(which: Any, *rest: Any) -> None:
        read(which, *rest) if which is policy else slow()

    monkeypatch.setattr(simulating, "_read", slow_if_changed)
    until = timezone.now() + DAY
    now, then = beside(policy, changed(policy, HOUR, None), until, patience=0.01)
    assert now.estimate is not None
    assert then.estimate is not None


def slow() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(10)")


def test_an_expression_that_fails() -> None:
    Preference.objects.create(created_at=timezone.now(), data={"days": "soon"})
    assert of("preferences").unread == simulating.FAILS


def test_another_age() -> None:
    drafts(0, 0.2, 0.6)
    until = timezone.now() + 0.3 * DAY
    policy = get_policy("drafts")
    (now,) = simulate([policy], until)
    (then,) = simulate([changed(policy, 12 * HOUR, timedelta(0))], until)
    assert (now.rows, then.rows) == (0, 2)
    told = manage("lifecycle", "simulate", "--policy", "drafts", "--age", "12h", "--grace", "0",
                  "--until", until.isoformat())  # fmt: skip
    assert told.startswith("drafts, with an age of 12:00:00 and a grace of 0:00:00: 2 more rows")
    assert "ends no row at an age" in fails(
        "lifecycle", "simulate", "--policy", "tokens", "--age", "12h"
    )
    assert "are of one --policy" in fails("lifecycle", "simulate", "--age", "12h")
    words = ("--policy", "drafts", "--age", "1h", "--json")
    data = json.loads(manage("lifecycle", "simulate", *words))
    assert_documented("lifecycle simulate", data)
    assert_documented("lifecycle simulate", json.loads(manage("lifecycle", "simulate", "--json")))
    assert (data["now"]["policy"], data["changed"]["held"]) == ("drafts", 0)


def test_it_comes_as_it_was_said() -> None:
    kept, *_ = lives(1, 1, 2, 9)
    drafts(0)
    Picture.objects.create(draft=Draft.objects.get())
    Token.objects.create(expires_at=timezone.now() + DAY)
    until = timezone.now() + 5 * DAY
    told = manage("lifecycle", "simulate", "--until", until.isoformat(), "--store")
    assert "  lives: 3\n" in told
    assert "  drafts: 0, 1 kept\n" in told
    assert Forecast.objects.get().policies["lives"]["days"] == {"1": 2, "2": 1}
    assert "0 days of it" in manage("lifecycle", "simulate", "--compare")
    kept.wanted = True
    kept.save()
    let_pass(2.5 * DAY)
    run_until_idle()
    let_pass(3.5 * DAY)
    told = manage("lifecycle", "simulate", "--compare")
    assert "  lives: 3 said, 2 ended (-1)\n" in told
    compared = json.loads(manage("lifecycle", "simulate", "--compare", "--json"))
    assert_documented("lifecycle simulate", compared)
    (data,) = (each for each in compared["policies"] if each["policy"] == "lives")
    assert data["forecast"] == {"1": 2, "2": 1}
    assert data["difference"] == -1


def test_there_is_no_forecast() -> None:
    assert "no such forecast" in fails("lifecycle", "simulate", "--compare")
    assert "no such forecast" in fails("lifecycle", "simulate", "--compare", "7")
