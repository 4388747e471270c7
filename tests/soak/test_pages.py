"""The pages of the admin over a ledger of `PAGES_EVENTS` events (10,000,000): their time, the
queries that they ask, and that no plan reads a large table from end to end.

A page asks as many queries as over 1,000 events; a search of the ledger goes on by pieces, each
twice as long. Times are printed: medians of five, in ms, on the clock and of this process.
"""

import os
import re
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from demo.models import User
from lifecycle.admin.readonly import COUNTED
from lifecycle.db.connection import fetch, statement
from lifecycle.ledger import segments

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(0)]
EVENTS = int(os.environ.get("PAGES_EVENTS", "10000000"))
AT_ONCE = 500_000
LEDGER = [f"lifecycle_{name}" for name in ("event", "agenda", "exception", "segment")]
LARGE = [*LEDGER, "purge_run"]
MOST_READ = 2 * COUNTED
PIECES = 15  # of the ledger, that a search may look at one after the other
PATIENCE = 3600  # seconds, for the worker's segments


def run(name: str, **values: int) -> None:
    fetch("default", statement(__file__.replace("test_pages", "paging"), name), values)


def execute(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def fill(events: int) -> None:
    """That many events, a tenth of them on the agenda, 100,000 holds, 200,000 runs."""
    execute("SET session_replication_role = replica")
    for first in range(1, events + 1, AT_ONCE):
        run("events", first=first, last=min(first + AT_ONCE - 1, events), all=events)
    run("agenda")
    run("holds", count=events // 100)
    run("runs", count=events // 50)
    execute("SET session_replication_role = origin")
    segments.cover(segments.mark("default"), "default", PATIENCE)
    execute(f"VACUUM ANALYZE {', '.join(LARGE)}")


@pytest.fixture
def emptied() -> Iterator[None]:
    yield
    empty()


def empty() -> None:
    execute("SET session_replication_role = replica")
    execute(f"TRUNCATE {', '.join(LARGE)} CASCADE")
    execute("SET session_replication_role = origin")


def pages() -> list[str]:
    """Page one, each list of both apps, lists by a filter, one policy, one row."""
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
        if model._meta.app_label in ("lifecycle", "purge")
    ]
    events = reverse("admin:lifecycle_event_changelist")
    filtered = [
        f"{events}?kind__exact=blocked",
        f"{events}?policy=tokens",
        f"{events}?actor=nobody",
    ]
    row = f"{reverse('admin:lifecycle_row')}?row=zoo.token:4711"
    policy = reverse("admin:lifecycle_policystate_change", args=["tokens"])
    return [reverse("admin:app_list", args=["lifecycle"]), *lists, *filtered, policy, row]


def asked(client: Client, page: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(page)
    assert answer.status_code == 200, page
    return [query["sql"] for query in queries.captured_queries]


def read_through(queries: list[str]) -> list[str]:
    """Where one of them reads more of a large table from end to end than a list counts."""
    found = []
    for query in queries:
        if "SELECT" not in query or not re.search("lifecycle_|purge_run", query):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query.replace("%", "%%"))
            ((found_plan,),) = cursor.fetchall()
        found += [f"{query[:300]}: {table}" for table in _long_scans(found_plan[0]["Plan"])]
    return found


def _long_scans(node: dict[str, Any]) -> Iterator[str]:
    """The large tables of which a node, or one below it, has read so many lines in their order."""
    read = node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE and read > MOST_READ:
        yield node["Relation Name"]
    for inner in node.get("Plans", []):
        yield from _long_scans(inner)


def timed(client: Client, page: str) -> tuple[float, float]:
    """Milliseconds on the clock and of this process: medians of five, after one to warm up."""
    client.get(page)
    taken = []
    for _ in range(5):
        clock, processor = time.perf_counter(), time.process_time()
        client.get(page)
        taken.append((time.perf_counter() - clock, time.process_time() - processor))
    return median(t for t, _ in taken) * 1000, median(t for _, t in taken) * 1000


@pytest.mark.usefixtures("emptied")
def test_pages_over_a_large_ledger() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    fill(1000)
    few = {page: len(asked(client, page)) for page in pages()}
    empty()
    fill(EVENTS)
    many, sequential = {}, []
    for page in pages():
        queries = asked(client, page)
        many[page] = len(queries)
        sequential += read_through(queries)
        clock, processor = timed(client, page)
        print(f"| {page} | {len(queries)} | {clock:.0f} | {processor:.0f} |")
    assert sequential == []
    assert {page: count for page, count in many.items() if count > few[page] + PIECES} == {}
