"""An event's entry is made in the database and in Python, to the same bytes."""

import hashlib
import hmac
import secrets
from typing import Any

import pytest

from lifecycle.db.connection import fetch
from lifecycle.models import Kind
from lifecycle.proof import leaf
from lifecycle.proof.canonical import encode_part
from lifecycle.sealing.entries import read_entries, read_leaves, read_records
from tests.lifecycle.proof.writing import write

pytestmark = pytest.mark.django_db

ODD = "ä\u2028'\"\\x00 {}\n\U0001f5d1"
#: SQL of columns of an event, by what is odd of it
EVENTS: dict[str, dict[str, str]] = {
    **{kind.value: {"kind": f"'{kind.value}'"} for kind in Kind},
    "integer": {"subjects_bigint": "'{-9223372036854775808}'"},
    "integer with identity": {"subjects_bigint": "'{7}'", "identities": r"'\x0011223344556677'"},
    "short identity": {"subjects_bigint": "'{7}'", "identities": r"'\x0011'"},
    "uuid": {"subjects_uuid": "'{00000000-0000-0000-0000-0000000000ff}'"},
    "text": {"subjects_text": f"ARRAY[$x${ODD}$x$]"},
    "empty text": {"subjects_text": "ARRAY['']"},
    "text NULL": {"subjects_text": "ARRAY['NULL', NULL]"},
    "one NULL": {"subjects_text": "ARRAY[NULL::text]"},
    "empty set": {"subjects_text": "'{}'"},
    "other bounds": {"subjects_bigint": "'[5:5]={9}'"},
    "two dimensions": {"subjects_bigint": "'{{1,2},{3,4}}'"},
    "two kinds": {"subjects_bigint": "'{1}'", "subjects_text": "'{a}'"},
    "range": {"subjects_range": "'[3,9)'", "identities": "decode(repeat('0a', 48), 'hex')"},
    "range of one": {"subjects_range": "'[3,4)'"},
    "seven": {"subjects_bigint": "'{1,2,3,4,5,6,7}'", "count": "7"},
    "4 of text": {"subjects_text": "'{a,b,c,d}'", "identities": "decode(repeat('0a', 32), 'hex')"},
    "cause": {"cause": "'cascade'", "subjects_bigint": "'{1}'"},
    "actor": {"actor": f"$x${ODD}$x$"},
    "detail": {"detail": """'{"b": 1.50, "a": ["ü", null, 1234567890123456789], "": {"x": 1}}'"""},
    "detail of a list": {"detail": "'[]'"},
    "settled": {"settled": "'{3,2}'"},
    "settled nothing": {"settled": "'{}'"},
    "all": {
        "cause": "'c'", "actor": "'a'", "settled": "'{1}'", "detail": """'{"a": 1}'""",
        "subjects_uuid": "ARRAY[gen_random_uuid(), gen_random_uuid()]", "basis": "3", "run": "-5",
        "due_at": "'2026-05-01'",
    },
    "basis 0": {"basis": "0", "count": "-1"},
    "far": {"due_at": "'294276-12-31 23:59:59.999999+00'"},
    "long ago": {"due_at": "'4713-01-01 00:00:00.000001+00 BC'"},
    "before 1970": {"recorded_at": "'1969-12-31 23:59:59.999999+00'"},
    "for ever": {"due_at": "'infinity'", "recorded_at": "'-infinity'"},
}  # fmt: skip


def test_both_make_the_same_bytes() -> None:
    numbers = {name: write(columns) for name, columns in EVENTS.items()}
    salts = {number: secrets.token_bytes(16) for number in numbers.values()}
    made = read_entries("default", salts)
    records = read_records("default", list(salts))
    differ = [
        name
        for name, number in numbers.items()
        if made[number] != leaf.entry_of(records[number], salts[number])
    ]
    assert differ == []
    assert len({*made.values()}) == len(EVENTS)


def test_leaves_in_bulk_are_those_of_the_entries() -> None:
    numbers = [write(columns) for columns in EVENTS.values()]
    blob = secrets.token_bytes(16 * (numbers[-1] - numbers[0] + 1))
    salts = {n: blob[16 * (n - numbers[0]) :][:16] for n in numbers}
    entries = read_entries("default", salts)
    expected = [hashlib.sha256(b"\0" + entries[n]).digest() for n in numbers]
    assert read_leaves("default", numbers[0], blob) == (numbers, b"".join(expected))
    records = read_records("default", numbers)
    assert leaf.leaf_of(records[numbers[-1]], salts[numbers[-1]]) == expected[-1]


def test_few_of_distant_numbers_are_read() -> None:
    first, last = write({}), None
    fetch(
        "default",
        "SELECT setval(pg_get_serial_sequence('lifecycle_event', 'id'), %(n)s)",
        {"n": first + 10**6},
    )
    between, last = write({}), write({})
    salts = dict.fromkeys((first, last), b"s" * 16)
    assert read_entries("default", salts).keys() == {first, last} != {between}


def test_the_form_is_the_documented_one() -> None:
    """By hand, for whoever writes a reader of their own."""
    number = write({"subjects_bigint": "'{7}'", "due_at": "'1970-01-01 00:00:01+00'"})
    salt = b"0123456789abcdef"

    def field(text: str | None) -> bytes:
        return b"\xff" * 4 if text is None else len(text).to_bytes(4, "big") + text.encode()

    part = field("subject") + field("zoo.token") + field("7") + field(None)
    blind = hmac.new(salt, b"lifecycle.part\x01" + part, hashlib.sha256).digest()
    root = hashlib.sha256(b"\x00lifecycle.part\x01" + blind + part).hexdigest()
    fields = [
        str(number), "purged", "", "zoo.token", "1", None, "1000000", "1777622400123456", None, "1",
        root,
    ]  # fmt: skip
    expected = b"lifecycle.event\x01" + b"".join(map(field, fields))
    assert read_entries("default", {number: salt}) == {number: expected}


SECRETS = {"actor": "'Mallory'", "cause": "'because'", "detail": """'{"reference": "CASE-7"}'"""}


@pytest.mark.parametrize("salt", [b"a" * 16])
def test_an_entry_names_nobody(salt: bytes) -> None:
    number = write({**SECRETS, "subjects_text": "'{alice@example.org}'"})
    entry = read_entries("default", {number: salt})[number]
    found: Any = [word for word in (b"Mallory", b"because", b"CASE-7", b"alice") if word in entry]
    assert found == []


def test_a_part_is_opened_without_the_others() -> None:
    number = write({"subjects_bigint": "'{5,6,7}'", "count": "3"})
    salt = secrets.token_bytes(16)
    record = read_records("default", [number])[number]
    parts = list(leaf.parts_of(record))
    blind = leaf.blind_of(salt, parts[1])
    opened = hashlib.sha256(b"\0" + encode_part(blind, parts[1])).digest()
    assert opened == leaf.hash_parts(record, salt)[1]
    assert opened != hashlib.sha256(b"\0" + encode_part(blind, parts[0])).digest()
