"""Segments: a key is found by them as without them; where they do not reach, the ledger is read."""

import random

import pytest
from django.db import connection

from lifecycle.insight.search import entries_about, events_about
from lifecycle.ledger import segments
from lifecycle.ledger.policy_states import rebuild
from lifecycle.models import Event, Segment
from lifecycle.promises import check as promises
from purge.worker.whole_pass import run_all
from tests.support import session
from tests.zoo.models import Coupon, Life, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

FOLD = "promise_06_projections_are_the_fold"


def sql(text: str, *params: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall() if cursor.description else []


def write(policy: str, model: str, keys: str) -> int:
    """An event about a set, given as SQL of the type `lifecycle.subjects`, counted."""
    text = (
        "SELECT lifecycle.write_v1('expiry_scheduled', %s, %s, s, lifecycle.size_v1(s), NULL,"
        f" now() + interval '9 days', NULL, '{{}}', NULL) FROM (SELECT {keys} AS s) AS given"
    )
    return int(sql(text, policy, model)[0][0])


def of(column: str, values: str) -> str:
    """A set in one of the four columns."""
    columns = ["bigints", "uuids", "texts", "span"]
    given = ", ".join(values if name == column else "NULL" for name in columns)
    return f"ROW({given})::lifecycle.subjects"


def array(kind: str, expression: str, first: int, last: int) -> str:
    return f"ARRAY(SELECT ({expression})::{kind} FROM generate_series({first}, {last}) AS i)"


def fill(seed: int = 1) -> None:
    """Events with sets of every form, more than a piece of them."""
    lot = random.Random(seed)
    for part in range(4):
        low = part * 100_000
        write("lives", "zoo.life", of("bigints", array("bigint", f"{low} + i * 7", 1, 6000)))
        write("lives", "zoo.life", of("span", f"int8range({low + 50_000}, {low + 59_000})"))
        write("lives", "zoo.life", of("bigints", array("bigint", f"{low} + i", 60_000, 60_030)))
        uuids = array("uuid", f"md5('{part} ' || i)", 1, 3000)
        owner = write("tickets", "zoo.ticket", of("uuids", uuids))
        write("coupons", "zoo.coupon", of("texts", array("text", f"'é{part} ' || i", 1, 300)))
        for _ in range(3):
            write("lives", "zoo.life", of("bigints", f"ARRAY[{lot.randrange(400_000)}::bigint]"))
        sql(
            "SELECT lifecycle.write_v1('tombstoned', 'tickets', 'zoo.ticket', NULL, 3000, %s,"
            " now() + interval '9 days', NULL, '{}', NULL)",
            owner,
        )
    write("lives", "zoo.life", of("bigints", "ARRAY[9223372036854775807, -9223372036854775808]"))


def cover() -> int:
    known = segments.mark("default")
    assert segments.is_written(known, "default")
    return segments.cover(known, "default", seconds=60)


KEYS = [
    *((Life, str(key)) for key in (7, 8, 14_007, 50_000, 58_999, 59_000, 60_007, 160_030, 342_007)),
    *((Life, str(key)) for key in (9223372036854775807, -9223372036854775808, 0, -1)),
    *((Ticket, f"md5('{part} {i}')") for part in (0, 2, 7) for i in (1, 2999)),
    *((Coupon, f"é{part} {i}") for part in (0, 3, 4) for i in (1, 300, 301)),
]


def found() -> list[tuple]:
    every = [
        (model, sql(f"SELECT {key}::uuid::text")[0][0] if model is Ticket else key)
        for model, key in KEYS
    ]
    lots = [key for (key,) in sql("SELECT subjects_bigint[1] FROM lifecycle_event WHERE count = 1")]
    every += [(Life, str(key)) for key in lots]
    return [
        (model.__name__, key, events_about(model, key), sorted(entries_about(model, key) or ()))
        for model, key in every
    ]


def test_the_same_is_found_with_segments_and_without() -> None:
    fill()
    without = found()
    assert sum(bool(each[2].events) for each in without) > 15
    assert cover() >= 1
    assert Segment.objects.filter(model="").exists()
    assert found() == without
    write("lives", "zoo.life", of("bigints", "ARRAY[7::bigint]"))  # the newest are not covered
    assert len(events_about(Life, "7").events) == 2


def test_a_filter_denies_no_key_of_its_events() -> None:
    fill()
    cover()
    denied = sql(
        "SELECT event.id, key FROM lifecycle_segment AS segment"
        " JOIN lifecycle_event AS event ON event.id BETWEEN first AND last"
        " AND event.model = segment.model AND event.basis IS NULL"
        " CROSS JOIN LATERAL (SELECT k::text AS key FROM unnest(subjects_uuid) AS k"
        " UNION ALL SELECT k FROM unnest(subjects_text) AS k) AS one"
        " WHERE NOT lifecycle.may_hold_v1(filter, sha256(convert_to(key, 'UTF8')))"
    )
    assert denied == []
    ((hits, asked),) = sql(
        "SELECT count(*) FILTER (WHERE lifecycle.may_hold_v1(filter, sha256(i::text::bytea))),"
        " count(*) FROM lifecycle_segment, generate_series(1, 2000) AS i WHERE model = 'zoo.ticket'"
    )
    assert asked > 0
    assert hits < asked / 100


def test_what_is_not_covered_from_the_beginning_is_read() -> None:
    fill()
    without = found()
    cover()
    Segment.objects.order_by("first")[:1].get().delete()
    Segment.objects.filter(first=1).delete()
    assert found() == without


def test_a_piece_waits_for_whoever_still_writes_into_it() -> None:
    with session() as other:
        other.execute("BEGIN")
        other.execute(
            "INSERT INTO zoo_life (expires_at, active, label, wanted)"
            " VALUES (now() + interval '9 days', true, '', false)"
        )
        fill()
        known = segments.mark("default")
        assert known.writers
        assert not segments.is_written(known, "default")
        assert segments.cover_marked("default") == segments.cover_marked("default") == 0
        assert not Segment.objects.exists()
        other.execute("COMMIT")
    assert segments.is_written(known, "default")
    assert segments.cover_marked("default") >= 1
    first = Event.objects.filter(kind="expiry_scheduled").earliest("pk")
    assert events_about(Life, first.subjects[0]).events[-1] == first.pk


def test_a_pass_covers_what_was_there_before_it() -> None:
    fill()
    run_all()
    assert Segment.objects.exists()


def test_a_rebuild_gives_them_up() -> None:
    fill()
    cover()
    rebuild()
    assert not Segment.objects.exists()


def test_a_segment_that_is_wrong_is_found_by_verify() -> None:
    fill()
    cover()
    assert promises.check(only=[FOLD])[FOLD] == []
    Segment.objects.filter(model="zoo.ticket").update(filter=None)
    (wrong,) = promises.check(only=[FOLD])[FOLD]
    assert wrong.subject == "segment zoo.ticket"


def test_sums_by_day_that_are_wrong_are_found_by_verify() -> None:
    fill()
    cover()
    Segment.objects.filter(model="").update(days={"2030-01-31": {"purged": 9}})
    found = promises.check(only=[FOLD])[FOLD]
    assert found
    assert {each.subject.strip() for each in found} == {"segment"}
