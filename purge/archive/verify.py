"""Compare archives with their manifests and with the ledger; every byte is read again."""

import tempfile
from dataclasses import dataclass

from lifecycle.db.connection import fetch as query
from lifecycle.db.connection import statement
from purge.archive.catalog import Catalog, bare
from purge.archive.destinations import Destination, ObjectMissing, Unreachable, fetch
from purge.archive.formats import FORMATS, FormatError
from purge.archive.manifest import File, Manifest


@dataclass(frozen=True)
class Problem:
    """What is wrong with an object, in a few words."""

    name: str
    why: str


def verify(where: Destination, manifest: Manifest) -> list[Problem]:
    """Read each file of an archive to its end: its bytes, its SHA-256, its rows."""
    found = ((file.name, _problem(where, manifest, file)) for file in manifest.files)
    return [Problem(name, why) for name, why in found if why]


def problems_beside(found: Catalog, databases: list[str]) -> list[Problem]:
    """Objects that no manifest names, manifests that cannot be read, archives that are missing."""
    known = {each.name for each in found.archives}
    making = {name for using in databases for name in _names("names_under_way", using)}
    strays = [name for name in found.strays if bare(name) not in making]
    lost = {name for using in databases for name in _names("archived_names", using)} - known
    problems = [Problem(name, why) for name, why in found.broken.items()]
    problems += [Problem(name, "no manifest names it") for name in strays]
    return problems + [Problem(name, "is missing; the ledger names it") for name in sorted(lost)]


def _names(which: str, using: str) -> set[str]:
    return {name for (name,) in query(using, statement(__file__, which))}


def _problem(where: Destination, manifest: Manifest, file: File) -> str:
    with tempfile.TemporaryFile() as copy:
        try:
            size, sha256 = fetch(where, file.name, copy)
        except ObjectMissing:
            return "is missing"
        except Unreachable as error:
            return f"cannot be read: {error}"
        if size != file.bytes:
            return f"has {size} bytes, its manifest says {file.bytes}"
        if sha256 != file.sha256:
            return "has another SHA-256 than its manifest says"
        try:
            rows = FORMATS[file.format].count(manifest.columns, copy)
        except KeyError:
            return f"is of a format that this code does not know: {file.format}"
        except FormatError as error:
            return str(error)
    return "" if rows == manifest.rows else f"has {rows} rows, its manifest says {manifest.rows}"
