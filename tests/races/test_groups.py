"""Writers beside two workers, where the newest rows of a group are kept.

An oracle in the database looks at each row that a worker has deleted, when that is being committed:
enough newer rows of its group are there, by what is committed then.
"""

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from purge.runner import run_due
from tests.support import Background, run_until_idle, session
from tests.zoo.models import Login

ORACLE = """
CREATE TABLE public.lost (id bigint);
CREATE FUNCTION public.count_newer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('tests.writer', true) = 'on' THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.lost SELECT OLD.id WHERE (
        SELECT count(*) FROM zoo_login WHERE account = OLD.account AND real
        AND (at, id) > (OLD.at, OLD.id)) < 2 OR NOT EXISTS (
        SELECT FROM zoo_login WHERE account = OLD.account AND real AND (at, id) < (OLD.at, OLD.id));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER oracle AFTER DELETE ON zoo_login DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION public.count_newer()"""
INSERT = """INSERT INTO zoo_login (account, at, real, pinned)
SELECT %s, now() - random() * interval '9 hours' - interval '2 hours', true, false
FROM generate_series(1, %s)"""
SOME = "SELECT id FROM zoo_login WHERE account = %s ORDER BY random() LIMIT %s"
WRITES = (
    f"DELETE FROM zoo_login WHERE id IN ({SOME})",
    f"UPDATE zoo_login SET account = 1 - account WHERE id IN ({SOME})",
    f"UPDATE zoo_login SET real = NOT real WHERE id IN ({SOME})",
    f"UPDATE zoo_login SET at = at - interval '3 hours' WHERE id IN ({SOME})",
)


@pytest.fixture
def oracle() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(ORACLE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE public.lost; DROP FUNCTION public.count_newer() CASCADE")


@pytest.mark.django_db(transaction=True)
def test_a_row_that_goes_too_early_is_seen(oracle: None) -> None:
    """The test of the test: the newest, the one before it and the first are lost, no other."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [1, 5])
        first, _, third, fourth, newest = Login.objects.order_by("at", "id")
        for row in (third, newest, fourth, first):
            Login.objects.filter(pk=row.pk).delete()
        cursor.execute("SELECT array_agg(id ORDER BY id) FROM public.lost")
        assert cursor.fetchone() == (sorted(row.pk for row in (newest, fourth, first)),)


def write(seed: int, times: int) -> None:
    chance = random.Random(seed)
    with session(autocommit=True) as other:
        other.execute("SET tests.writer = 'on'; SET lock_timeout = '2s'")
        for _ in range(times):
            try:
                with other.transaction(force_rollback=chance.random() < 0.2):
                    other.execute(INSERT, [chance.randint(0, 1), chance.randint(0, 3)])
                    for _ in range(chance.randint(0, 2)):
                        params: list[Any] = [chance.randint(0, 1), chance.randint(1, 2)]
                        other.execute(chance.choice(WRITES), params)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
                pass  # of two writers


def work(writers: list[Background]) -> None:
    while any(each.thread.is_alive() for each in writers):
        run_due()


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
@pytest.mark.django_db(transaction=True)
def test_no_row_ends_that_is_among_the_newest_when_its_end_is_committed(
    oracle: None, seed: int
) -> None:
    times = 20 if seed == 1 else 80
    writers = [Background(lambda n=n: write(seed * 10 + n, times)) for n in range(3)]
    workers = [Background(lambda: work(writers)) for _ in range(2)]
    for each in (*writers, *workers):
        each.result()
    run_until_idle()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.lost")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM lifecycle_event WHERE kind = 'purged'")
        assert cursor.fetchone()[0] > 3
    assert not Login.objects.exclude(pk__in=Login.objects.live()).exists()
    for account in (0, 1):
        assert Login.objects.filter(account=account, real=True).count() <= 3
