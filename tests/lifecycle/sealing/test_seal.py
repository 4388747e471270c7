"""Every committed event is sealed once, whatever the order in which they commit."""

import random
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction

from lifecycle.db.connection import fetch, scalar
from lifecycle.proof.tree import split
from lifecycle.sealing import gaps
from lifecycle.sealing.log import read_log, read_seals, try_lock
from lifecycle.sealing.seal import seal, seal_all
from tests.lifecycle.sealing.support import begin, check_log, root_by_hand, sealed, write
from tests.support import Background, session, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

USING = "default"
Session = psycopg.Connection[Any]


@pytest.fixture
def log() -> Iterator[None]:
    """A log in which all is sealed that was there."""
    begin()
    write()  # the numbers that tests before this one have taken are behind it
    wait_until(no_gap_is_left)
    yield
    seal_all(USING)
    check_log()


@pytest.fixture
def slow() -> Iterator[Session]:
    with session() as other:
        yield other


def known_gaps() -> list[tuple[int, int]]:
    log = read_log(USING)
    assert log
    return [each for gap in gaps.from_json(log.gaps) for each in gap.ranges]


def no_gap_is_left() -> bool:
    """Others may be at work yet, or just leave."""
    seal_all(USING)
    return not known_gaps()


def test_nothing_is_sealed_before_a_log_is_begun() -> None:
    write(3)
    assert seal_all(USING) == 0


def test_events_are_sealed_in_their_order(log: None) -> None:
    numbers = write(5)
    assert seal(USING) == 5
    assert sealed()[-5:] == numbers
    assert seal(USING) == 0


def test_the_root_is_that_of_the_definition(log: None) -> None:
    write(11)
    seal_all(USING)
    found = read_log(USING)
    assert found
    leaves = split(read_seals(USING, found, 0, found.size).leaves)
    assert found.frontier().root() == root_by_hand(leaves)


def test_many_are_sealed_in_several_transactions(log: None) -> None:
    numbers = write(25)
    assert [seal(USING, 10) for _ in range(4)] == [10, 10, 5, 0]
    assert sealed()[-25:] == numbers


@pytest.mark.slow
def test_parallel_workers_make_the_same(log: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.sealing.seal.MANY", 1)
    write(700)
    assert seal_all(USING) == 700


def test_one_that_commits_late_comes_later(log: None, slow: Session) -> None:
    (late,) = write(1, slow)
    (early,) = write()
    assert early > late
    assert seal_all(USING) == 1
    assert known_gaps() == [(late, late)]
    assert seal_all(USING) == 0  # and waits for nobody
    slow.commit()
    assert seal_all(USING) == 1
    assert sealed()[-2:] == [early, late]
    wait_until(no_gap_is_left)


def test_one_that_is_rolled_back_is_not_waited_for(log: None, slow: Session) -> None:
    write(1, slow)
    write()
    seal_all(USING)
    slow.rollback()
    wait_until(no_gap_is_left)


def test_an_older_transaction_that_writes_nothing_keeps_a_gap(log: None, slow: Session) -> None:
    """Its number might be one that is missing: the sealer cannot know."""
    slow.execute("SELECT 1")
    with session() as other:
        write(1, other)
        other.rollback()
    write()
    seal_all(USING)
    seal_all(USING)
    assert len(known_gaps()) == 1
    slow.commit()
    wait_until(no_gap_is_left)


def test_a_number_that_is_drawn_and_not_yet_written_is_not_skipped(
    log: None, slow: Session
) -> None:
    """It has no transaction id at that moment, and is in no snapshot."""
    row = slow.execute("SELECT nextval(pg_get_serial_sequence('lifecycle_event', 'id'))").fetchone()
    assert row
    write()
    seal_all(USING)
    seal_all(USING)
    slow.execute(
        "INSERT INTO lifecycle_event (id, kind, policy, model, count, recorded_at, cause, actor,"
        " detail) VALUES (%s, 'settled', '', '', 0, now(), '', '', '{}')",
        row,
    )
    seal_all(USING)
    slow.commit()
    assert seal_all(USING) == 1
    assert sealed()[-1] == row[0]


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_the_level_of_a_writer_does_not_matter(log: None, slow: Session, level: str) -> None:
    slow.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    (late,) = write(1, slow)
    write(2)
    seal_all(USING)
    (later,) = write(1, slow)
    write()
    seal_all(USING)
    slow.commit()
    assert seal_all(USING) == 2
    assert sealed()[-2:] == [late, later]


def test_savepoints(log: None, slow: Session) -> None:
    (kept,) = write(1, slow)
    with slow.transaction(force_rollback=True):
        write(1, slow)
        write()
        seal_all(USING)
    with slow.transaction():
        (last,) = write(1, slow)
    write()
    seal_all(USING)
    slow.commit()
    assert seal_all(USING) == 2
    assert sealed()[-2:] == [kept, last]
    wait_until(no_gap_is_left)


def test_a_prepared_transaction_is_not_skipped(log: None) -> None:
    if scalar(USING, "SHOW max_prepared_transactions") == "0":
        pytest.skip("this server has no prepared transactions")
    with session(autocommit=True) as other:
        other.execute("BEGIN")
        (late,) = write(1, other)
        write()
        seal_all(USING)
        other.execute("PREPARE TRANSACTION 'late'")
        seal_all(USING)
        assert known_gaps() == [(late, late)]
        other.execute("COMMIT PREPARED 'late'")
    assert seal_all(USING) == 1


def test_numbers_that_sessions_keep_are_not_skipped(log: None) -> None:
    sequence = scalar(USING, "SELECT pg_get_serial_sequence('lifecycle_event', 'id')")
    fetch(USING, f"ALTER SEQUENCE {sequence} CACHE 5")
    try:
        with session(autocommit=True) as one:
            write(1, one)
            write()
            seal_all(USING)
            seal_all(USING)
            (late,) = write(1, one)
        assert seal_all(USING) == 1
        assert sealed()[-1] == late
    finally:
        fetch(USING, f"ALTER SEQUENCE {sequence} CACHE 1")


def test_two_sealers(log: None) -> None:
    write(3)
    with transaction.atomic():
        assert try_lock(USING)
        assert Background(lambda: seal_all(USING)).result() == 0
    assert seal_all(USING) == 3


def test_a_sealer_and_writers_do_not_wait_for_each_other(log: None, slow: Session) -> None:
    write(1, slow)
    with transaction.atomic():
        assert try_lock(USING)
        fetch(USING, "SELECT count(*) FROM lifecycle_event")
        with session(options="-c lock_timeout=1ms") as other:
            write(1, other)
    fetch(USING, "SET lock_timeout = '1ms'")
    try:
        assert seal_all(USING) == 1
    finally:
        fetch(USING, "RESET lock_timeout")
        slow.rollback()


def test_indexes_have_no_gap_and_none_is_given_twice(log: None) -> None:
    write(4)
    seal_all(USING)
    size = len(sealed())
    for first in (size - 1, size + 1):
        with pytest.raises(Exception, match="has not the size"), transaction.atomic():
            fetch(
                USING,
                "SELECT lifecycle.seal_v1(1, %(first)s, '{}', '', '', '', 0, '[]')",
                {"first": first},
            )


def test_eight_writers(log: None) -> None:
    """Some roll back, some hold what they wrote; sealed while they write."""
    over = threading.Event()

    def one(number: int) -> list[int]:
        chance, kept = random.Random(number), list[int]()
        with session() as own:
            for _ in range(25):
                numbers = [*write(chance.randint(1, 3), own), *write(1, own)]
                if chance.random() < 0.2:
                    own.rollback()
                elif chance.random() < 0.5:
                    own.commit()
                    kept += numbers
                else:
                    write(1, own)
                    own.rollback()
        return kept

    def sealing() -> int:
        total = 0
        while not over.is_set():
            total += seal_all(USING, 7)
        return total

    sealer = Background(sealing)
    writers = [Background(lambda number=number: one(number)) for number in range(8)]
    kept = [number for writer in writers for number in writer.result()]
    over.set()
    total = sealer.result() + seal_all(USING)
    assert total == len(kept) > 100
    assert set(kept) <= set(sealed())
    wait_until(no_gap_is_left)
    connections.close_all()
