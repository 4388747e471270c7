"""The formats of an archive, without a database: what people and programs see in a file."""

import gzip
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from pyarrow import parquet

from lifecycle.policy.dispositions import Archive
from purge.archive.formats import FORMATS, Column, FormatError, Row, compressed
from purge.archive.formats.compressed import zstd_of
from purge.checks import check_formats
from tests.zoo.models import Token

COLUMNS = (
    Column("id", "bigint"),
    Column("actor", "character varying(50)"),
    Column("created_at", "timestamp with time zone"),
    Column("detail", "jsonb"),
    Column("tags", "text[]"),
    Column("amount", "numeric(10,2)"),
    Column("ok", "boolean"),
)
ROWS: list[Row] = [
    ("1", "anna", "2024-10-01 00:00:00.5+00", '{"n": 1.50}', '{a,NULL,"NULL"}', "1.50", "true"),
    ("9007199254740993", "", "infinity", "null", "{}", "NaN", "false"),
    ("-3", None, None, None, None, None, None),
]
PROGRAMS = [name for name, each in FORMATS.items() if each.can_be_loaded]


def written(name: str, rows: Sequence[Row] = ROWS, columns: Sequence[Column] = COLUMNS) -> bytes:
    file = io.BytesIO()
    writer = FORMATS[name].writer(columns, file)
    for row in rows:
        writer.write([row])
    writer.close()
    return file.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_rows_are_counted_by_reading_them(name: str) -> None:
    for rows in (ROWS, []):
        assert FORMATS[name].count(COLUMNS, io.BytesIO(written(name, rows))) == len(rows)


def test_json_is_an_array_of_natural_values() -> None:
    first, second, third = json.loads(written("json"))
    assert first == {
        "id": 1,
        "actor": "anna",
        "created_at": "2024-10-01 00:00:00.5+00",
        "detail": {"n": 1.5},
        "tags": ["a", None, "NULL"],
        "amount": "1.50",
        "ok": True,
    }
    # A reader that makes a float of it would give another number.
    assert (second["id"], second["detail"]) == ("9007199254740993", None)
    assert second["_exact"] == {"detail": "null"}
    assert "_exact" not in third
    assert json.loads(written("json", [])) == []


def test_parquet_has_columns_of_their_own_types() -> None:
    first, second, third = parquet.read_table(io.BytesIO(written("parquet"))).to_pylist()
    assert first == {
        "id": 1,
        "actor": "anna",
        "created_at": datetime(2024, 10, 1, microsecond=500_000, tzinfo=UTC),
        "detail": '{"n": 1.50}',
        "tags": '["a", null, "NULL"]',
        "amount": Decimal("1.50"),
        "ok": True,
        "_exact": None,
    }
    assert (second["created_at"], second["amount"], second["detail"]) == (None, None, "null")
    assert json.loads(second["_exact"]) == {"created_at": "infinity", "amount": "NaN"}
    assert third["_exact"] is None


def test_jsonl_is_the_same_object_a_line() -> None:
    lines = gzip.decompress(written("jsonl")).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(written("json"))


@pytest.mark.parametrize("name", ["jsonl", "jsonlzst"])
def test_the_same_rows_give_the_same_bytes(name: str) -> None:
    assert written(name) == written(name)


def test_lines_are_the_same_however_they_are_compressed() -> None:
    packed = io.BytesIO(written("jsonlzst"))
    assert zstd_of(packed).read() == gzip.decompress(written("jsonl"))


def test_a_file_of_zstandard_that_was_changed_is_no_archive() -> None:
    """It has a checksum of its own."""
    whole = bytearray(written("jsonlzst", ROWS * 10))
    whole[-1] ^= 1
    with pytest.raises(FormatError):
        list(FORMATS["jsonlzst"].reader(COLUMNS, io.BytesIO(bytes(whole))))


def test_a_file_that_takes_more_memory_than_ours_is_no_archive() -> None:
    """Its window says so, before anything is unpacked."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0, (24 - 10) << 3])  # 16 MB
    with pytest.raises(FormatError):
        list(FORMATS["jsonlzst"].reader(COLUMNS, io.BytesIO(head + b"\x01\x00\x00")))


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "MODULES", ("nothing.zstd", "nothing_else"))
    assert "[zstd]" in FORMATS["jsonlzst"].missing
    assert FORMATS["jsonl"].missing == ""
    with pytest.raises(FormatError, match="needs backports"):
        FORMATS["jsonlzst"].writer(COLUMNS, io.BytesIO())
    with pytest.raises(FormatError, match="needs backports"):
        list(FORMATS["jsonlzst"].reader(COLUMNS, io.BytesIO(b"x")))
    assert FORMATS["jsonl"].count(COLUMNS, io.BytesIO(written("jsonl"))) == len(ROWS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_file_that_is_cut_off_is_no_archive(name: str) -> None:
    whole = written(name, ROWS * 10)
    for part in (b"", whole[: len(whole) // 2], whole[:-3]):
        with pytest.raises(FormatError):
            list(FORMATS[name].reader(COLUMNS, io.BytesIO(part)))


@pytest.mark.parametrize("name", [*PROGRAMS, "txt"])
def test_a_file_with_other_columns_is_no_archive_of_these(name: str) -> None:
    other = written(name, [("1",)], [Column("number", "bigint")])
    with pytest.raises(FormatError):
        FORMATS[name].count(COLUMNS, io.BytesIO(other))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_column_may_have_the_name_of_what_is_said_beside(name: str) -> None:
    columns = [Column("_exact", "jsonb"), Column("da%te", "date")]
    rows: list[Row] = [("null", "infinity"), (None, "0044-03-15 BC"), ('"x"', "2024-02-29")]
    file = io.BytesIO(written(name, rows, columns))
    assert list(FORMATS[name].reader(columns, file)) == rows


@pytest.mark.parametrize("name", ["json", "jsonl", "jsonlzst"])
def test_a_document_as_deep_as_it_likes(name: str) -> None:
    deep = "[" * 5000 + "1" * 5000 + "]" * 5000
    columns = [Column("document", "jsonb")]
    file = io.BytesIO(written(name, [(deep,)], columns))
    assert list(FORMATS[name].reader(columns, file)) == [(deep,)]


def test_txt_is_aligned_and_no_value_passes_for_a_row() -> None:
    columns = [Column("id", "bigint"), Column("actor", "text"), Column("action", "text")]
    evil = "x\n2   root   \x1b[31mlogin\u202e\u2028"
    rows: list[Row] = [("1", "anna", "login"), ("22", evil, None), ("3", "日本", "")]
    assert written("txt", rows, columns).decode().splitlines() == [
        "id  actor                                    action",
        "--  ---------------------------------------  ------",
        "1   anna                                     login",
        "22  x\\n2   root   \\x1b[31mlogin\\u202e\\u2028  NULL",
        "3   日本",
    ]


def test_txt_is_not_read_back() -> None:
    with pytest.raises(FormatError, match="for people"):
        FORMATS["txt"].reader(COLUMNS, io.BytesIO(written("txt")))


def test_without_pyarrow_parquet_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purge.archive.formats.parquet.find_spec", lambda name: None)
    with pytest.raises(FormatError, match=r"pip install django-tombstone\[parquet\]"):
        written("parquet")
    declared = SimpleNamespace(
        name="logs", model=Token, disposition=Archive(prefix="old/", formats=("json", "parquet"))
    )
    monkeypatch.setattr("lifecycle.policy.registry.all_policies", lambda: [declared])
    (told,) = check_formats()
    assert (told.id, told.msg) == (
        "purge.E003",
        "logs archives as parquet, which is not installed.",
    )
