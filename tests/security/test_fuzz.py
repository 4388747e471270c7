"""Whatever strangers and the site's own role call or set: the engine does as without them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from lifecycle import hold, restore
from lifecycle.install.roles import FUNCTIONS
from lifecycle.models import Event
from purge.runner import run_due
from tests.security.fuzz import Fuzzer
from tests.security.roles import Roles
from tests.zoo.models import Draft, Order, Token, Upload

pytestmark = pytest.mark.django_db(transaction=True)

CALLS = 5_000  # of each role
TABLES = ("lifecycle_exception", "lifecycle_policy", "zoo_order", "zoo_draft", "zoo_upload")
OWN_KINDS = {"expiry_scheduled", "deleted"}


def world() -> dict[str, Any]:
    """Rows that stay for every reason there is, one that does not, and a file."""
    now, hour = timezone.now(), timedelta(hours=1)
    held, live, due = Token.objects.bulk_create(
        [Token(expires_at=end) for end in (now - hour, now + hour, now + 2 * hour)]
    )
    restored = Order.objects.create(expires_at=now - hour, grace=hour)
    hold(held)
    restore(restored)
    Draft.objects.create(created_at=now - timedelta(days=2))
    upload = Upload(file=ContentFile(b"kept", name="fuzz.txt"))
    upload.save()
    run_due()  # tombstones the draft
    return {"tokens": {held, live, due}, "upload": upload}


def rows_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row::text FROM {table} AS row ORDER BY 1")
        return [text for (text,) in cursor.fetchall()]


def others(mark: int, own: set[str]) -> dict[str, Any]:
    """Everything but what a role wrote of rows of its own."""
    found: dict[str, Any] = {table: rows_of(table) for table in TABLES}
    found["tokens"] = sorted(Token.objects.exclude(pk__in=map(int, own)).values_list())
    found["old events"] = [
        row for row in rows_of("lifecycle_event") if int(row[1:].split(",")[0]) <= mark
    ]
    new = Event.objects.filter(pk__gt=mark)
    found["new events"] = [event.pk for event in new if not is_own(event, own)]
    return found


def is_own(event: Event, own: set[str]) -> bool:
    known = set(event.subjects or ()) <= own and event.model == "zoo.token"
    said = event.detail.keys() - {"unproven", "claimed", "cause", "late", "again"}
    return known and event.kind in OWN_KINDS and event.run is None and not said


@pytest.mark.slow
def test_random_words_of_a_site_that_was_granted_leave_a_ledger_that_holds(roles: Roles) -> None:
    """It may hold, restore, end and pause; the promises are asked when the test is over."""
    made = world()
    mark = Event.objects.latest("pk").pk
    before = others(mark, set())["old events"]
    with connection.cursor() as cursor:
        for name in FUNCTIONS["site"]:
            cursor.execute(f'GRANT EXECUTE ON FUNCTION lifecycle.{name} TO "{roles.site}"')
    keys = [str(token.pk) for token in made["tokens"]]
    with roles.session(roles.site) as session:
        fuzzer = Fuzzer(session, seed=20261129, keys=keys)
        assert {f"lifecycle.{name}" for name in FUNCTIONS["site"]} <= {
            name.partition("(")[0] for name, *_ in fuzzer.functions
        }
        fuzzer.run(CALLS // 2)
    assert others(mark, set())["old events"] == before
    kinds = set(Event.objects.filter(pk__gt=mark).values_list("kind", flat=True))
    assert kinds <= {*OWN_KINDS, "restored", "expired_by_hand", "hold_placed", "hold_released",
                     "policy_changed", "resumed", "capture_failed", "media_orphaned"}  # fmt: skip
    assert {"deleted"} < kinds & {"deleted", "restored", "hold_placed"}, "some words got through"
    run_due()
    assert {token.pk for token in made["tokens"]} >= set(
        Token.objects.exclude(pk__in=map(int, fuzzer.own)).values_list("pk", flat=True)
    )
    with made["upload"].file.open() as file:
        assert file.read() == b"kept"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stranger", "site"])
def test_random_calls_change_nothing(roles: Roles, name: str) -> None:
    made = world()
    mark = Event.objects.latest("pk").pk
    before = others(mark, set())
    keys = [str(token.pk) for token in made["tokens"]]
    with roles.session(getattr(roles, name)) as session:
        fuzzer = Fuzzer(session, seed=20261129, keys=keys)
        fuzzer.run(CALLS)
    assert fuzzer.outcomes["done"] > CALLS / 10, fuzzer.outcomes
    assert others(mark, fuzzer.own) == before
    run_due()
    assert set(Token.objects.exclude(pk__in=map(int, fuzzer.own))) == made["tokens"]
    assert Order.objects.count() == Draft.objects.count() == 1
    with made["upload"].file.open() as file:
        assert file.read() == b"kept"
