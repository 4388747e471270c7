"""What a command prints with `--json`, against docs/reference/json.md: each key, each time."""

import re
from functools import cache
from typing import Any

from tests.infra.servers import ROOT

PAGE = ROOT / "docs/reference/json.md"
#: a key of a section: a table's first cell. `a.*` is an object whose keys are not ours.
KEY = re.compile(r"^\| `([\w.*]+)` \|", re.M)
#: the ledger's own words, and the signed lines of a certificate
AS_WRITTEN = ("detail", "said")
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?\Z")


def assert_documented(section: str, data: Any) -> None:
    """Each key of what was printed is in that section of the page, and each time is ISO 8601."""
    keys = sections()[section]
    found = set(_paths(data, keys))
    unknown = sorted(found - keys)
    assert not unknown, f"{section}: {unknown}"
    other = [time for time in _times(data) if not ISO.match(time)]
    assert not other, f"{section}: {other}"


@cache
def sections() -> dict[str, frozenset[str]]:
    """The keys of each section of the page, by its heading."""
    parts = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.M)[1:]
    return {part.splitlines()[0].strip("` "): frozenset(KEY.findall(part)) for part in parts}


def _paths(data: Any, keys: frozenset[str], below: str = "") -> Any:
    """`policies.policy` for a key in a list of objects that is itself a key's value."""
    if isinstance(data, list | tuple):
        for each in data:
            yield from _paths(each, keys, below)
    elif isinstance(data, dict) and f"{below}*" not in keys:
        for key, value in data.items():
            yield f"{below}{key}"
            yield from _paths(value, keys, f"{below}{key}.")


def _times(data: Any) -> Any:
    """Values that look like times, but for what is shown as it was written."""
    if isinstance(data, dict):
        data = [value for key, value in data.items() if key not in AS_WRITTEN]
    if isinstance(data, list | tuple):
        for each in data:
            yield from _times(each)
    elif isinstance(data, str) and TIME.match(data):
        yield data
