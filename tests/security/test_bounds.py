"""What an archive may take of memory: at the bound it is read, one more is refused."""

import io
from collections.abc import Iterator
from typing import Any

import pytest

from purge.archive import catalog
from purge.archive.formats.base import FormatError, lines
from purge.archive.manifest import LARGEST
from purge.archive.manifest_shape import FIELDS, wrong_field


@pytest.mark.parametrize("last", [b"", b"\n"])
@pytest.mark.parametrize("longest", [1, 2, 1000])
def test_a_line_of_the_bound_and_one_more(longest: int, last: bytes) -> None:
    """With its end, which a manifest's bytes count too."""
    line = b"x" * (longest - len(last)) + last
    if not line:
        return
    assert list(lines(io.BytesIO(line), longest)) == [line]
    with pytest.raises(FormatError, match=f"more than {longest:,} bytes"):
        list(lines(io.BytesIO(b"x" + line), longest))


def test_very_many_lines_are_read_one_by_one() -> None:
    class Endless(io.RawIOBase):
        """Lines without an end; each is made when it is asked for."""

        made = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.made += 1
            return b"{}\n"

    endless = Endless()
    found: Any = lines(endless, 100)  # type: ignore[arg-type]
    for _ in range(5):
        next(found)
    assert endless.made == 5


def test_a_manifest_is_not_read_past_what_one_may_have() -> None:
    class Store:
        """A destination with a manifest that does not end."""

        given = 0

        def read(self, name: str) -> Iterator[bytes]:
            while self.given < 100:
                self.given += 1
                yield b"x" * (LARGEST // 4)

    store = Store()
    text = catalog._text(store, "a")  # type: ignore[arg-type]
    assert LARGEST < len(text) <= LARGEST + LARGEST // 4
    assert store.given == 5


@pytest.mark.slow
def test_a_manifest_without_files_is_none() -> None:
    file = {"format": "json", "name": "p/a.json", "bytes": 1, "sha256": "0" * 64}
    end = {"key": None, "time": None}
    column = {"name": "id", "type": "bigint"}
    whole = {
        "version": 1, "name": "a", "policy": "tokens", "model": "zoo.token", "table": "zoo_token",
        "key": "id", "rows": 0, "first": end, "last": end, "made": "2026-01-01T00:00:00+00:00",
        "columns": [column], "files": [file],
    }  # fmt: skip
    assert whole.keys() == FIELDS.keys()
    assert wrong_field(whole) == ""
    assert wrong_field(whole | {"files": []}) == "files"
