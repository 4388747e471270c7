"""The manifest beside the files of an archive, `NAME.manifest.json`: what they must be."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from lifecycle.exceptions import LifecycleError
from purge.archive.formats import Column

SUFFIX = ".manifest.json"
VERSION = 1


class ManifestError(LifecycleError):
    """The manifest cannot be read."""


@dataclass(frozen=True)
class File:
    """One file of an archive: the same rows in one format. `name` is with its prefix."""

    format: str
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """One archive. No value of a row is in it but the first and last key and time.

    `name` is that of the archive: of its files without prefix and suffix. `model` is the ledger's,
    `key` the column of its key. Times are ISO 8601.
    """

    name: str
    policy: str
    model: str
    table: str
    key: str
    rows: int
    first: dict[str, str | None]  # of "key" and "time"
    last: dict[str, str | None]
    made: str
    columns: list[Column]
    files: list[File] = field(default_factory=list)
    version: int = VERSION

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)

    def as_json(self) -> str:
        """As it is stored."""
        columns = [{"name": name, "type": db_type} for name, db_type in self.columns]
        return json.dumps(asdict(self) | {"columns": columns}, indent=2, ensure_ascii=False) + "\n"


def read(text: bytes | str) -> Manifest:
    """The manifest of a text; `ManifestError` where it is none, or one of a later version."""
    try:
        given: dict[str, Any] = json.loads(text)
        version = given["version"]
        if version == VERSION:
            columns = [Column(each["name"], each["type"]) for each in given["columns"]]
            files = [File(**each) for each in given["files"]]
            return Manifest(**(given | {"columns": columns, "files": files}))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ManifestError(f"It is no manifest of an archive ({type(error).__name__}).") from error
    raise ManifestError(f"It is of version {version!r}; this code reads {VERSION}.")
