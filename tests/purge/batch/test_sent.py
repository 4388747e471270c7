"""What a batch sends to the database, and what of it is taken back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import pytest
from django.db import connection

from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from purge.batch import at_once
from purge.passes.options import PassOptions
from purge.runner import run_batch, run_due
from purge.sources import agenda
from tests.zoo.factories import ExpiredTokenFactory
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def sent() -> Iterator[list[str]]:
    """The texts that go to the server meanwhile, but for BEGIN and COMMIT."""
    texts: list[str] = []

    def wrap(execute: Any, text: str, *rest: Any) -> Any:
        texts.append(text)
        return execute(text, *rest)

    with connection.execute_wrapper(wrap):
        yield texts


def test_a_batch_of_rows_that_go_is_sent_in_six_parts() -> None:
    """Each costs Python and the server as much as a hundred rows."""
    at_once._mixed.clear()  # what an earlier test has seen of its rows
    Token.objects.bulk_create(ExpiredTokenFactory.build_batch(10))
    run_due()  # what is asked once in a process
    Token.objects.bulk_create(ExpiredTokenFactory.build_batch(10))
    with sent() as texts:
        done = run_batch(agenda.claim, get_policy("tokens"), PassOptions(), None, 10)
    assert done
    assert done.purged == 10
    assert len(texts) == 6
    locking, deleting = (
        next(t for t in texts if part in t) for part in ("FOR UPDATE SKIP", "DELETE")
    )
    assert locking is not deleting  # or rows would be evaluated as they were before the lock


def test_rows_that_a_trigger_refuses_leave_no_savepoint_open() -> None:
    """What goes at once is kept part by part: halving would have one within another."""
    tokens = Token.objects.bulk_create(ExpiredTokenFactory.build_batch(40))
    refused = {token.pk for token in tokens[::13]}
    keys = ", ".join(map(str, sorted(refused)))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF OLD.id IN ({keys}) THEN RAISE EXCEPTION 'stays'; END IF; RETURN OLD; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE DELETE ON zoo_token"
            " FOR EACH ROW EXECUTE FUNCTION public.refuse()"
        )
        try:
            with sent() as texts:
                run_due()
        finally:
            cursor.execute("DROP FUNCTION public.refuse CASCADE")
    assert set(Token.objects.values_list("pk", flat=True)) == refused
    assert sum(e.count for e in Event.objects.filter(kind="purged")) == 40 - len(refused)
    assert sum(e.count for e in Event.objects.filter(kind="blocked")) == len(refused)
    assert max(depths(texts)) == 1
    assert depths(texts)[-1] == 0


def depths(texts: list[str]) -> list[int]:
    """How many of the batch's own savepoints were open, after each statement about one."""
    steps = re.findall(r"(RELEASE |ROLLBACK TO )?SAVEPOINT lifecycle_at_once", "\n".join(texts))
    return list(accumulate({"": 1, "RELEASE ": -1, "ROLLBACK TO ": 0}[step] for step in steps))
