"""What `Archive(...)` takes, and what it refuses."""

from typing import Any

import pytest

from lifecycle import Archive, Policy, Window
from lifecycle.exceptions import PolicyError
from tests.zoo.models import Knock, Person, Report

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"prefix": ""}, "prefix"),
    ({"prefix": "audit"}, "ends with a slash"),
    ({"prefix": "/audit/"}, "prefix"),
    ({"prefix": "a/../b/"}, "prefix"),
    ({"prefix": "a//"}, "prefix"),
    ({"formats": ()}, "formats"),
    ({"formats": "json"}, "formats"),
    ({"formats": ("jsonn",)}, "Did you mean 'json'"),
    ({"formats": ("txt",)}, "add 'jsonl'"),
    ({"every": "1 week"}, "every"),
    ({"compression": "zip"}, "must be 'gzip' or 'zstd', not 'zip'"),
    ({"compression": "zstd", "formats": ("json",)}, "is that of 'jsonl'"),
    ({"batch_rows": 0}, "batch_rows"),
    ({"batch_rows": True}, "batch_rows"),
    ({"batch_bytes": -1}, "batch_bytes"),
    ({"table": "delta"}, "table must be 'iceberg', not 'delta'"),
    ({"table": "iceberg", "formats": ("parquet",)}, "either `table` or `formats`"),
    ({"table": "iceberg", "compression": "zstd"}, "which formats lack"),
]


@pytest.mark.parametrize(("wrong", "why"), WRONG)
def test_wrong_options_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        Archive(**({"prefix": "audit/"} | wrong))


def test_the_compression_names_the_files() -> None:
    packed = Archive("audit/", formats=("jsonl", "txt"), compression="zstd")
    assert packed.files == ("jsonlzst", "txt")
    assert Archive("audit/").files == ("jsonl", "txt")
    assert packed.declaration() != Archive("audit/").declaration()


def test_every_needs_windows() -> None:
    every = Archive("audit/", every="1 month")
    with pytest.raises(PolicyError, match=r"needs capture=Window"):
        Policy("audit", Knock, expires="until", disposition=every)
    Policy("audit", Knock, expires="until", disposition=every, capture=Window("1 day"))


def test_what_is_erased_on_request_is_not_archived() -> None:
    with pytest.raises(PolicyError, match="on_request"):
        Policy("people", Person, on_request=True, disposition=Archive("people/"))


def test_a_row_in_two_tables_is_not_archived_by_half() -> None:
    """An archive has the columns of one table; the other's row would go with it."""
    with pytest.raises(PolicyError, match="parents' columns"):
        Policy("reports-kept", Report, expires="expires_at", disposition=Archive("reports/"))


def test_a_table_is_another_declaration_and_has_larger_archives() -> None:
    table = Archive("audit/", table="iceberg")
    assert (table.files, table.batch_rows) == (("iceberg",), 1_000_000)
    assert Archive("audit/").batch_rows == 200_000
    assert Archive("audit/", table="iceberg", batch_rows=5).batch_rows == 5
    assert table.declaration() != Archive("audit/").declaration()
