"""The manifest beside the files of an archive, `NAME.manifest.json`: what they must be."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from purge.archive.formats import Column
from purge.archive.manifest_shape import ManifestError, wrong_field

__all__ = ("SUFFIX", "VERSION", "File", "Manifest", "ManifestError", "Replaced", "read")

SUFFIX = ".manifest.json"
VERSION = 2  # of one that replaces another; the others are of version 1
LARGEST = 2**20  # bytes; one of a table with PostgreSQL's 1,600 columns has half of it


@dataclass(frozen=True)
class File:
    """One file of an archive: the same rows in one format. `name` is with its prefix."""

    format: str
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Replaced:
    """The archive that another one stands for: its name, the SHA-256 of its manifest, how many rows
    fewer there are now. `seal` is the site's own signature of the new manifest, which nobody can
    make who only may write at the destination. `before` are those that it stood for in turn, each
    with `name` and `manifest`, the latest first."""

    name: str
    manifest: str
    rows: int
    seal: str = ""
    before: list[dict[str, str]] = field(default_factory=list)

    @property
    def all(self) -> list[tuple[str, str]]:
        """The names and the SHA-256 of all archives that it stands for, the latest first."""
        return [(self.name, self.manifest), *((e["name"], e["manifest"]) for e in self.before)]


@dataclass(frozen=True)
class Manifest:
    """One archive. No value of a row is in it but the first and last key and time.

    `name` is that of the archive: of its files without prefix and suffix. `model` is the ledger's,
    `key` the column of its key. Times are ISO 8601. `replaces` is the archive of which it has
    the rows that were left when others were erased. `sha256` is that of the text that it was read
    from, empty for one that was not read.
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
    version: int = 1
    replaces: Replaced | None = None
    sha256: str = field(default="", compare=False)

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)

    def as_json(self) -> str:
        """As it is stored."""
        columns = [{"name": name, "type": db_type} for name, db_type in self.columns]
        said = asdict(self) | {"columns": columns}
        del said["sha256"]
        if self.replaces is None:
            del said["replaces"]
        return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def read(text: bytes | str) -> Manifest:
    """The manifest of a text; `ManifestError` where it is none, or one of a later version.

    The text may be anybody's: each field has the type and shape that the engine writes, and no
    other field is there. Whether the engine wrote it is for the ledger to say.
    """
    body = text.encode() if isinstance(text, str) else text
    if len(body) > LARGEST:
        raise ManifestError(f"It has more than {LARGEST:,} bytes, which no manifest has.")
    try:
        given = json.loads(body)
        version = given["version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ManifestError(f"It is no manifest of an archive ({type(error).__name__}).") from error
    if type(version) is int and VERSION < version < 1_000:
        raise ManifestError(f"It is of version {version}; this code reads {VERSION}.")
    if wrong := wrong_field(given):
        raise ManifestError(f"It is no manifest of an archive: {wrong} is not what it has to be.")
    columns = [Column(each["name"], each["type"]) for each in given["columns"]]
    files = [File(**each) for each in given["files"]]
    made = {"columns": columns, "files": files, "sha256": hashlib.sha256(body).hexdigest()}
    if "replaces" in given:
        made["replaces"] = Replaced(**given["replaces"])
    return Manifest(**(given | made))
