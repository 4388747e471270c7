"""Row exceptions of other rows cost nothing: what is read does not grow with them.

What PostgreSQL itself counts for the table of exceptions, with all its indexes, while the real
statements run; no time is measured.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import expire_now, hold, live, release, restore, tombstoned
from lifecycle.backfill.chunk import Lister
from lifecycle.ledger import caps
from lifecycle.models import Event, RowException
from lifecycle.policy.registry import get_policy
from purge.batch.brakes import PolicyStanding, standing
from purge.batch.outcome import Outcome
from purge.passes import pacing
from purge.passes.due import due_policies
from purge.passes.options import PassOptions
from purge.passes.override import Override
from purge.runner import run_policy
from purge.sources import requested
from tests.excepting import except_others
from tests.support import let_pass
from tests.zoo.models import Coupon, Draft, Odd, Picture, Sensor, Ticket, Token, Trace

pytestmark = pytest.mark.django_db(transaction=True)

PAST = timezone.now() - timedelta(days=90)
FEW, MANY = 3_000, 24_000
SOONER = Override(timedelta(0), skips_grace=False)
SLACK = 40  # pages: an index is deeper; one that was read to its end would have 200 more
KINDS = ("hold", "restored", "expired_by_hand")


@pytest.fixture(autouse=True)
def without_others() -> Iterator[None]:
    """No event tells of these exceptions."""
    yield
    RowException.objects.filter(event_id=-1).delete()


def pages_read(action: Callable[[], Any]) -> int:
    """Pages of indexes of exceptions that an action touches, and rows that it reads without one.

    The least of three: autovacuum may come in between.
    """

    def touched() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(
                "SELECT seq_tup_read + idx_blks_read + idx_blks_hit"
                " FROM pg_statio_user_tables JOIN pg_stat_user_tables USING (relid)"
                " WHERE relid = 'lifecycle_exception'::regclass"
            )
            return int(cursor.fetchone()[0])

    def counted() -> int:
        before = touched()
        action()
        return touched() - before

    return min(counted() for _ in range(3))


def purge() -> None:
    rows = [Token(expires_at=PAST) for _ in range(5)]
    Token.objects.bulk_create(rows)
    assert run_policy(get_policy("tokens")).purged == len(rows)


def purge_with_children() -> None:
    draft = Draft.objects.create(created_at=PAST)
    run_policy(get_policy("drafts"))
    draft.delete()


def sweep() -> None:
    Trace.objects.create(made_at=PAST)
    assert run_policy(get_policy("traces")).purged == 1


def write_singly() -> None:
    token = Token.objects.create(expires_at=timezone.now() + timedelta(days=1))
    Token.objects.filter(pk=token.pk).update(expires_at=None)
    token.delete()


def write_in_windows() -> None:
    trace = Trace.objects.create(made_at=timezone.now())
    Trace.objects.filter(pk=trace.pk).update(made_at=timezone.now() - timedelta(days=3))
    trace.delete()


def read_pages() -> None:
    Token.objects.bulk_create([Token(expires_at=PAST), Token(expires_at=None)])
    assert len(live(Token)[:50]) == 1
    assert len(tombstoned(Token)[:50]) == 1
    Token.objects.all().delete()


def say_of_one_row() -> None:
    token = Token.objects.create(expires_at=None)
    number = hold(token)
    assert release(number) == 1
    hold(token)
    assert release(token) == 1
    restore(token)
    expire_now(token, policy="tokens")
    token.delete()


def check_cap() -> None:
    token = Token.objects.create(expires_at=PAST)
    assert caps.is_over(get_policy("tokens"), 0)
    how_many = requested.how_many(get_policy("tokens"), "default", SOONER, 9)
    assert how_many == 1
    token.delete()


def ask_what_is_due() -> None:
    assert due_policies() == []
    assert standing(get_policy("tokens")) is PolicyStanding.ACTS


def backfill() -> None:
    tokens = get_policy("tokens")
    Token.objects.create(expires_at=PAST)
    Lister(tokens, "default").list(None, 100)
    Token.objects.all().delete()


ACTIONS: dict[Callable[[], None], str] = {
    purge: "tokens",
    write_singly: "tokens",
    read_pages: "tokens",
    say_of_one_row: "tokens",
    check_cap: "tokens",
    backfill: "tokens",
    ask_what_is_due: "tokens",
    purge_with_children: "drafts",
    sweep: "traces",
    write_in_windows: "traces",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_what_is_read_does_not_grow(action: Callable[[], None], kind: str) -> None:
    except_others(ACTIONS[action], kind, FEW)
    action()  # catalogues and plans
    few = pages_read(action)
    except_others(ACTIONS[action], kind, MANY - FEW)
    many = pages_read(action)
    assert many <= 2 * few + SLACK, f"{action.__name__} under {kind}: {few} pages, then {many}"


def test_plans_of_a_session_that_began_with_none() -> None:
    """plpgsql keeps a plan that was made for an empty table."""
    for _ in range(10):
        write_singly()
    except_others("tokens", "restored", MANY)
    assert pages_read(write_singly) <= 2 * SLACK


def rows_of_each_key_type() -> list[tuple[str, list[Any]]]:
    odd = [Odd.objects.create(select=PAST) for _ in range(3)]
    tickets = [Ticket.objects.create(id=uuid.uuid4(), expires_at=PAST) for _ in range(3)]
    codes = ("007", "seven 'ü", "Ⅶ,{}\\")
    coupons = [Coupon.objects.create(code=code, expires_at=PAST) for code in codes]
    addresses = ("10.0.0.1", "10.0.0.2", "2001:db8::1")
    sensors = [Sensor.objects.create(address=each, expires_at=PAST) for each in addresses]
    return [("odd-ones", odd), ("tickets", tickets), ("coupons", coupons), ("sensors", sensors)]


@pytest.mark.parametrize("others", [0, 1, 1_500])
def test_exceptions_count_for_every_type_of_key(others: int) -> None:
    for name, (held, restored, free) in rows_of_each_key_type():
        for kind in KINDS[: 2 if others else 0]:
            except_others(name, kind, others) if name == "odd-ones" else None
        hold(held)
        restore(restored)
        model = type(held)
        assert set(live(model)) == {held, restored}
        assert set(tombstoned(model)) == {free}
        run_policy(get_policy(name))
        let_pass(timedelta(hours=2))
        run_policy(get_policy(name))
        assert set(model.objects.all()) == {held, restored}, name
        model.objects.filter(pk=restored.pk).delete()
        left = RowException.objects.filter(policy=name, event_id__gt=0)
        assert not left.exists(), f"{name}: the restore of a deleted row stays"
        assert Event.objects.filter(kind="purged", policy=name).count() == 1


def test_a_held_child_blocks_among_many_holds() -> None:
    except_others("tokens", "hold", MANY)
    picture = Picture.objects.create(draft=Draft.objects.create(created_at=PAST, status="done"))
    hold(picture)
    hold(Token.objects.create(expires_at=PAST))
    run_policy(get_policy("tokens"))
    assert Token.objects.count() == 1
    assert Picture.objects.count() == 1


@pytest.fixture
def paced() -> "Callable[..., list[int]]":
    """How many rows each batch takes, of a policy whose batches take these seconds."""
    policy = get_policy("tokens")

    def sizes(seconds: Callable[[int], float], batches: int = 8) -> list[int]:
        taken = []
        for _ in range(batches):
            rows = pacing.rows_of(policy, PassOptions(), Outcome())
            taken.append(rows)
            pacing.resize(policy, "default", seconds(rows), Outcome(looked=rows))
        return taken

    return sizes


def test_batches_are_not_halved_for_what_fewer_rows_do_not_save(paced: Any) -> None:
    sizes = paced(lambda rows: 1.0)
    assert sizes.count(10_000) >= len(sizes) - 1
    assert min(sizes) == 5_000, "halved once, to see"


def test_batches_are_halved_as_long_as_it_saves_time(paced: Any) -> None:
    sizes = paced(lambda rows: rows / 1_000)
    assert sizes[:6] == [10_000, 5_000, 2_500, 1_250, 625, 312]
    assert pacing.SLOW > 312 / 1_000


def test_a_fixed_part_that_passes_is_forgotten(paced: Any) -> None:
    paced(lambda rows: 1.0)
    paced(lambda rows: 0.05, batches=1)
    sizes = paced(lambda rows: rows / 10_000 + 0.01)
    assert sizes[-1] == 5_000, "half a second is enough again"
