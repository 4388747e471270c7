"""A worker stopped in the middle of a batch, for as long as a test wants."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from tests.support import session

GATE = 4_711
# The function's own lock_timeout: the worker's 300 ms would end the stop.
FUNCTION = f"""
CREATE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({GATE});
    RETURN NEW;
END $$"""
TRIGGER = """
CREATE TRIGGER gate BEFORE INSERT ON lifecycle_event FOR EACH ROW
WHEN (NEW.kind = '{kind}') EXECUTE FUNCTION public.gate()"""


@contextmanager
def closed_gate(kind: str) -> Iterator[psycopg.Connection[Any]]:
    """Whoever writes an event of this kind stops there, its locks held, until `rollback()`."""
    with session() as keeper:
        keeper.execute("SELECT pg_advisory_xact_lock(%s)", [GATE])
        with connection.cursor() as cursor:
            cursor.execute(FUNCTION)
            cursor.execute(TRIGGER.format(kind=kind))
        try:
            yield keeper
        finally:
            keeper.rollback()
            with connection.cursor() as cursor:
                cursor.execute("DROP FUNCTION public.gate CASCADE")
