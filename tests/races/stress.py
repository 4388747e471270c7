"""Writers and workers on the same rows for a while, from a seed; then what must be true.

The truth is written by a trigger of the tests' own on each deleted row, not by the package: the
row's columns as they were, and who deleted it when.
"""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from lifecycle import expire_now, hold, release, restore, tombstoned
from lifecycle.exceptions import ConditionNotMet, LifecycleError, RowMissing
from lifecycle.models import RowException
from purge.runner import run_due
from tests.support import endings, run_until_idle, together
from tests.zoo.models import Line, Order, Token

AUDIT = """
CREATE TABLE IF NOT EXISTS public.audit (
    model text, key bigint, old jsonb, by_runner boolean, spared boolean, at timestamptz);
TRUNCATE public.audit;
CREATE OR REPLACE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.audit SELECT TG_ARGV[0], OLD.id, to_jsonb(OLD),
        coalesce(current_setting('lifecycle.ending', true), '') <> '',
        EXISTS (SELECT FROM lifecycle_exception WHERE key = OLD.id::text AND (
            (kind = 'hold' AND model = TG_ARGV[0]) OR (kind = 'restored' AND policy = TG_ARGV[1]))),
        clock_timestamp();
    RETURN OLD;
END $$;
CREATE OR REPLACE TRIGGER audit BEFORE DELETE ON zoo_token
FOR EACH ROW EXECUTE FUNCTION public.audit('zoo.token', 'tokens');
CREATE OR REPLACE TRIGGER audit BEFORE DELETE ON zoo_order
FOR EACH ROW EXECUTE FUNCTION public.audit('zoo.order', 'orders');
"""
CLEAN = "DROP FUNCTION IF EXISTS public.audit CASCADE; DROP TABLE IF EXISTS public.audit"

# A row that the worker deleted though, by its own columns, it was not due.
EARLY = """
SELECT model, key, old, at FROM public.audit
WHERE by_runner AND ((old ->> 'expires_at') IS NULL OR (old ->> 'expires_at')::timestamptz > at
    OR NOT coalesce((old ->> 'active')::boolean, true))
AND NOT EXISTS (SELECT FROM lifecycle_event WHERE kind = 'expired_by_hand'
    AND lifecycle_event.model = audit.model AND subjects_bigint = ARRAY[audit.key])
"""
SPARED = "SELECT model, key, old, at FROM public.audit WHERE by_runner AND spared"
# An order that went without a tombstone of at least its grace.
UNANNOUNCED = """
SELECT audit.* FROM public.audit WHERE by_runner AND model = 'zoo.order'
AND (old ->> 'grace')::interval > interval '0'
AND NOT EXISTS (SELECT FROM lifecycle_event AS told
    WHERE told.kind = 'tombstoned' AND told.policy = 'orders'
    AND audit.key::text IN (SELECT lifecycle.keys_v1(told.id))
    AND told.recorded_at >= (old ->> 'expires_at')::timestamptz
    AND told.recorded_at + (old ->> 'grace')::interval <= audit.at)
"""


class Writer:
    """One of the host's threads: random writes, each in a transaction of its own."""

    def __init__(self, seed: int, until: float) -> None:
        self.random, self.until = random.Random(seed), until
        self.errors: list[str] = []
        self.writes = 0

    def __call__(self) -> "Writer":
        while time.monotonic() < self.until:
            act = self.random.choice(ACTS)
            try:
                with transaction.atomic():
                    act(self)
                self.writes += 1
            except (RowMissing, ConditionNotMet):
                continue
            except Exception as error:
                self.errors.append(f"{act.__name__}: {error!r}")
        return self

    def moment(self) -> Any:
        """An end within two seconds, or one just passed, or a day away."""
        seconds = self.random.choice([self.random.uniform(-0.5, 2), 0.0, 86_400.0])
        return timezone.now() + timedelta(seconds=seconds)

    def rows(self, model: type[Model], most: int = 1) -> list[Any]:
        keys = list(model._default_manager.order_by("-pk").values_list("pk", flat=True)[:200])
        picked = self.random.sample(keys, min(most, len(keys)))
        return list(model._default_manager.filter(pk__in=picked).order_by("pk"))

    def any_row(self) -> list[Any]:
        return self.rows(self.random.choice([Token, Order]))


def insert(writer: Writer) -> None:
    Token.objects.bulk_create([Token(expires_at=writer.moment()) for _ in range(5)])


def insert_order(writer: Writer) -> None:
    grace = timedelta(seconds=writer.random.choice([0, 0.5, 1]))
    Line.objects.create(order=Order.objects.create(expires_at=writer.moment(), grace=grace))


def extend(writer: Writer) -> None:
    for row in writer.any_row():
        type(row).objects.filter(pk=row.pk).update(expires_at=writer.moment())


def extend_several(writer: Writer) -> None:
    for token in writer.rows(Token, 5):
        Token.objects.filter(pk=token.pk).update(expires_at=writer.moment())


def toggle(writer: Writer) -> None:
    for token in writer.rows(Token):
        Token.objects.filter(pk=token.pk).update(active=not token.active)


def touch(writer: Writer) -> None:
    """Children first, then their parent: the order in which a purge would meet them last."""
    for order in writer.rows(Order):
        list(Line.objects.filter(order=order).select_for_update())
        Order.objects.filter(pk=order.pk).update(grace=order.grace)


def remove(writer: Writer) -> None:
    for row in writer.any_row():
        row.delete()


def bring_back(writer: Writer) -> None:
    for row in writer.any_row():
        restore(row)


def end_now(writer: Writer) -> None:
    for token in writer.rows(Token):
        expire_now(token, policy="tokens")


def place(writer: Writer) -> None:
    for row in writer.any_row():
        hold(row)


def lift(writer: Writer) -> None:
    held = RowException.objects.filter(kind="hold").order_by("?").first()
    if held is not None:
        try:
            release(held.event_id)
        except LifecycleError:
            return  # another writer was first


ACTS: list[Callable[[Writer], None]] = [
    insert, insert, insert, insert_order, insert_order, extend, extend, extend_several, toggle,
    touch, remove, bring_back, end_now, place, lift, lift,
]  # fmt: skip


def worker(until: float) -> Callable[[], None]:
    def run() -> None:
        while time.monotonic() < until:
            run_due()
            time.sleep(0.05)

    return run


def stress(seconds: float, seed: int, writers: int = 5, workers: int = 2) -> int:
    """Run them; returns the number of writes. Asserts what must be true afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(AUDIT)
    try:
        until = time.monotonic() + seconds
        hosts = [Writer(seed + number, until) for number in range(writers)]
        together(*hosts, *(worker(until) for _ in range(workers)))
        errors = [error for host in hosts for error in host.errors]
        assert errors == [], errors
        settle()
        return sum(host.writes for host in hosts)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(CLEAN)


def settle() -> None:
    """Let go of everything, run until idle, and look."""
    for held in RowException.objects.filter(kind="hold"):
        release(held.event_id)
    run_until_idle(horizon=timedelta(seconds=65), deadline=150)
    for model in (Token, Order):
        assert list(tombstoned(model)) == [], f"forgotten: {tombstoned(model)}"
    with connection.cursor() as cursor:
        for name, query in (("early", EARLY), ("spared", SPARED), ("unannounced", UNANNOUNCED)):
            cursor.execute(query)
            assert cursor.fetchall() == [], name
    ended = endings()
    assert {key: count for key, count in ended.items() if count > 1} == {}
    there = {f"zoo.token:{pk}" for pk in Token.objects.values_list("pk", flat=True)}
    there |= {f"zoo.order:{pk}" for pk in Order.objects.values_list("pk", flat=True)}
    assert there & set(ended) == set()
