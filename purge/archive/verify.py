"""Compare archives with what the ledger knows of them; every byte is read again.

Manifests and files are anybody's who may write at the destination. What is not as the ledger has it
is a problem of its own: the other archives are compared all the same.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lifecycle.db.connection import fetch as query
from lifecycle.db.connection import statement
from lifecycle.exceptions import LifecycleError
from purge.archive.catalog import Catalog, bare
from purge.archive.destinations import Destination, ObjectMissing, Unreachable, fetch
from purge.archive.formats import FORMATS
from purge.archive.manifest import SUFFIX, File, Manifest
from purge.archive.manifest_shape import MONTHLY
from purge.archive.records import Record, Records, Unknown, known


@dataclass(frozen=True)
class Problem:
    """What is wrong with an object, in a few words."""

    name: str
    why: str


def sorted_out(
    found: Catalog, all_known: Records, databases: Iterable[str] = ()
) -> tuple[list[Manifest], list[Problem]]:
    """The manifests that can be believed, and a problem for each that cannot; but for those that
    the databases are just making.

    Where the database has its own copy of a manifest, that one is believed instead, once.
    """
    making = {name for using in databases for name in _under_way(using)}
    believed: list[Manifest] = []
    problems: list[Problem] = []
    for each in found.archives:
        own = all_known.get(each.name, [])
        try:
            known(each, own)
            believed.append(each)
        except Unknown as error:
            if not is_leaving(own) and each.name not in making:
                problems.append(Problem(_object(each), str(error)))
            believed += _copies(own)
    for name, why in found.broken.items():
        problems.append(Problem(name, why))
        believed += _copies(all_known.get(bare(name), []))
    once = {(each.name, str(each.files)): each for each in believed}
    return list(once.values()), problems


def verify(where: Destination, manifest: Manifest) -> list[Problem]:
    """Read each file of an archive to its end: its bytes, its SHA-256, its rows."""
    found = [(file, *_read(where, manifest, file)) for file in manifest.files]
    problems = [Problem(file.name, why) for file, _, why in found if why]
    if not problems:
        problems = [Problem(name, why) for name, why in _miscounted(manifest, found)]
    return problems


def _miscounted(
    manifest: Manifest, found: list[tuple[File, int, str]]
) -> Iterator[tuple[str, str]]:
    """Where the rows are not as many as the manifest says: those of a month are not in it."""
    months = [(file, rows) for file, rows, _ in found if file.format == MONTHLY]
    if months and (rows := sum(rows for _, rows in months)) != manifest.rows:
        yield months[0][0].name, f"and its others have {rows} rows, {_says(manifest)}"
    for file, rows, _ in found:
        if file.format != MONTHLY and rows != manifest.rows:
            yield file.name, f"has {rows} rows, {_says(manifest)}"


def _says(manifest: Manifest) -> str:
    return f"its manifest says {manifest.rows}"


def problems_beside(found: Catalog, all_known: Records, databases: list[str]) -> list[Problem]:
    """Objects that no manifest names, and archives that are missing."""
    there = {each.name for each in found.archives} | {bare(name) for name in found.broken}
    making = {name for using in databases for name in _under_way(using)}
    leaving = {name for name, own in all_known.items() if is_leaving(own)}
    strays = [name for name in found.strays if bare(name) not in making | leaving]
    ended = {name for name, own in all_known.items() if any(has_to_be_there(each) for each in own)}
    problems = [Problem(name, _stray(all_known.get(bare(name), []))) for name in strays]
    return problems + [
        Problem(name, "is missing; the ledger names it") for name in sorted(ended - there)
    ]


def is_leaving(own: Iterable[Record]) -> bool:
    """Whether an archive was rewritten, and still has time until it must be gone."""
    return any(each.replaced and not each.replaced.is_late for each in own)


def has_to_be_there(record: Record) -> bool:
    """Whether rows have gone into an archive that is in force, and not declared lost."""
    return record.has_ended and record.replaced is None and record.lost is None


def _stray(own: Iterable[Record]) -> str:
    told = next((each.replaced or each.lost for each in own if each.replaced or each.lost), None)
    return f"is of an archive that {told.says}" if told else "no manifest names it"


def _object(manifest: Manifest) -> str:
    """The name of its manifest with its prefix, as far as a file tells that."""
    first = manifest.files[0].name if manifest.files else ""
    return f"{first[: first.rfind('/') + 1]}{manifest.name}{SUFFIX}"


def _copies(own: Iterable[Record]) -> list[Manifest]:
    copies = (each.manifest for each in own if has_to_be_there(each))
    return [copy for copy in copies if copy]


def _under_way(using: str) -> set[str]:
    return {name for (name,) in query(using, statement(__file__, "names_under_way"))}


def _read(where: Destination, manifest: Manifest, file: File) -> tuple[int, str]:
    """The rows of a file, and what is wrong with it; '' where nothing is."""
    with tempfile.TemporaryFile() as copy:
        try:
            size, sha256 = fetch(where, file.name, copy, file.bytes)
        except ObjectMissing:
            return 0, "is missing"
        except Unreachable as error:
            return 0, f"cannot be read: {error}"
        if size != file.bytes:
            more = "more than " if size > file.bytes else ""
            told = f"has {more}{min(size, file.bytes)} bytes, its manifest says {file.bytes}"
            return 0, told
        if sha256 != file.sha256:
            return 0, "has another SHA-256 than its manifest says"
        if file.format not in FORMATS:
            return 0, f"is of a format that this code does not know: {file.format}"
        try:
            return FORMATS[file.format].count(manifest.columns, copy), ""
        except LifecycleError as error:
            return 0, str(error)
