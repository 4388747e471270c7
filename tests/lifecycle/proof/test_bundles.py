"""What is made in bulk, for sealing and for publishing, is what each event makes by itself."""

import json
import random
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lifecycle.db.connection import fetch
from lifecycle.proof import leaf
from lifecycle.proof.tree import hash_leaf
from lifecycle.sealing.entries import (
    keys_of,
    numbered,
    read_bundles,
    read_entries,
    read_leaves,
    read_records,
    record_of,
)
from tests.lifecycle.proof.test_leaf import EVENTS
from tests.lifecycle.proof.writing import write
from tests.proof.trees import encode_bundle

pytestmark = pytest.mark.django_db

WIDTH = 16
TEXTS = ("", "a", '"', "\\", "\n\r\t", "\x01\x7f", "\u2028\u2029", "\U0001f5d1é", "[null]", "NULL")
#: events as text by the functions that are there for one event, which sealing does not call
SLOWLY = """
SELECT jsonb_build_object('id', e.id::text, 'kind', e.kind, 'policy', e.policy, 'model', e.model,
    'count', e.count::text, 'basis', e.basis::text, 'run', e.run::text, 'cause', e.cause,
    'due_at', CASE WHEN isfinite(e.due_at)
        THEN trunc(extract(epoch FROM e.due_at) * 1000000)::text ELSE e.due_at::text END,
    'recorded_at', CASE WHEN isfinite(e.recorded_at)
        THEN trunc(extract(epoch FROM e.recorded_at) * 1000000)::text ELSE e.recorded_at::text END,
    'actor', e.actor, 'settled', e.settled::text, 'detail', e.detail::text,
    'identities', CASE WHEN e.basis IS NOT NULL THEN encode(e.identities, 'hex') END,
    'subjects', (SELECT coalesce(jsonb_agg(jsonb_build_array(s.key, s.identity) ORDER BY s.place),
        '[]') FROM lifecycle.subjects_v1(e) AS s))
FROM lifecycle_event AS e WHERE e.id = ANY (%(events)s)
"""


def slowly(events: Iterable[int]) -> dict[int, leaf.Record]:
    """The records of events, the way that is easy to read."""
    found = {}
    for (text,) in fetch("default", SLOWLY, {"events": list(events)}):
        fields = json.loads(text)
        subjects = tuple(leaf.Subject(*each) for each in fields.pop("subjects"))
        found[int(fields["id"])] = leaf.Record(**fields, subjects=subjects)
    return found


def random_event(chance: random.Random) -> dict[str, Any]:
    """Columns of an event; most are of one row and nothing else, as in a ledger."""

    def text() -> str:
        return "".join(chance.choices(TEXTS, k=chance.randrange(4)))

    def key() -> Any:
        kind = chance.choice(("bigint", "uuid", "text"))
        made = {
            "bigint": chance.randrange(-(2**63), 2**63), "text": text(),
            "uuid": f"{chance.getrandbits(128):032x}",
        }  # fmt: skip
        return kind, [made[kind]] * chance.choice((1, 1, 1, 1, 0, 3))

    kind, keys = key()
    at = datetime(1960, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(10**16))
    known: dict[str, Any] = {
        "kind": "purged", "policy": text()[:20], "model": "zoo.token", "count": len(keys),
        "recorded_at": at, f"subjects_{kind}": keys, "cause": "", "actor": "", "detail": "{}",
    }  # fmt: skip
    if chance.random() < 0.3:
        known |= {"due_at": at + timedelta(days=chance.randrange(40000))}
    if chance.random() < 0.3:
        known |= {"identities": chance.randbytes(chance.choice((8, 8, 24, 3)))}
    if chance.random() < 0.2:
        known |= {"basis": 1, "cause": text()[:20], "actor": text()[:20], "settled": [1, 2]}
    return known


def inserted(columns: dict[str, Any]) -> int:
    names, casts = (
        ", ".join(columns),
        {"subjects_uuid": "::uuid[]", "subjects_bigint": "::bigint[]"},
    )
    values = ", ".join(f"%({name})s{casts.get(name, '')}" for name in columns)
    text = f"INSERT INTO lifecycle_event ({names}) VALUES ({values}) RETURNING id"
    return int(fetch("default", text, columns)[0][0])


@pytest.fixture
def events() -> list[int]:
    chance = random.Random(15)
    return [
        *(write(each) for each in EVENTS.values()),
        *(inserted(random_event(chance)) for _ in range(150)),
    ]


def test_records_are_what_they_were_made_slowly(events: list[int]) -> None:
    assert read_records("default", events) == slowly(events)


def test_bundles_are_made_of_the_entries_of_each(events: list[int]) -> None:
    """In the order in which they were sealed, which need not be that of their numbers."""
    random.Random(3).shuffle(events)
    salts = secrets.token_bytes(16 * len(events))
    made = read_bundles("default", events, salts, WIDTH)
    records, places = slowly(events), range(0, len(events), WIDTH)
    assert len(made) == len(places)
    for at, bundle in zip(places, made, strict=True):
        these = events[at : at + WIDTH]
        entries = [
            leaf.entry_of(records[n], salts[16 * (at + i) :][:16]) for i, n in enumerate(these)
        ]
        assert bundle.entries == encode_bundle(entries)
        assert bundle.leaves == b"".join(hash_leaf(entry) for entry in entries)
        assert [record_of(line) for line in bundle.records.encode().splitlines()] == [
            records[number] for number in these
        ]
        assert bundle.records.endswith("\n")


def test_leaves_in_bulk_are_those_of_each(events: list[int]) -> None:
    """Parallel workers give them in no order."""
    lowest, count = min(events), max(events) - min(events) + 1
    blob = secrets.token_bytes(16 * count)
    numbers, leaves = read_leaves("default", lowest, blob)
    records = slowly(events)
    assert numbers == sorted(events)
    assert leaves == b"".join(
        leaf.leaf_of(records[n], blob[16 * (n - lowest) :][:16]) for n in numbers
    )


def test_of_one_that_is_gone_the_others_are_made(events: list[int]) -> None:
    gone = events[3]
    fetch("default", "SET LOCAL session_replication_role = replica")
    fetch("default", "DELETE FROM lifecycle_event WHERE id = %(n)s", {"n": gone})
    salts = {number: secrets.token_bytes(16) for number in events}
    made = read_bundles("default", events, b"".join(salts.values()), WIDTH)
    assert sum(len(each.leaves) for each in made) == 32 * (len(events) - 1)
    assert read_entries("default", salts).keys() == {*events} - {gone}


def test_keys_of_salts_are_those_of_hmac() -> None:
    inner, outer = keys_of(bytes(range(32)))
    assert inner == bytes(each ^ 0x36 for each in range(32))
    assert outer == bytes(each ^ 0x5C for each in range(32))


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_numbers_and_leaves_are_put_in_order(order: list[int]) -> None:
    numbers = (5, 300, 2**40)
    data = [number.to_bytes(8, "big") + bytes([place]) * 32 for place, number in enumerate(numbers)]
    found, leaves = numbered(b"".join(data[place] for place in order))
    assert found == list(numbers)
    assert leaves == bytes([0]) * 32 + bytes([1]) * 32 + bytes([2]) * 32
