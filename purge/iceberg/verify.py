"""Compare tables with the archives that the ledger knows: what each shows, and what lies beside it.

Metadata are anybody's who may write at the place. Those that count have the SHA-256 that the
catalogue says; and whatever that says, a table has to show the files of the archives, each once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from lifecycle.exceptions import LifecycleError
from purge.archive.catalog import bare
from purge.archive.destinations import Destination, ObjectMissing
from purge.archive.formats import FORMATS
from purge.archive.manifest import Manifest
from purge.archive.records import Records
from purge.archive.verify import Problem
from purge.iceberg.commit import HINT, noted
from purge.iceberg.reach import Reach, reached
from purge.models import Archive, IcebergTable, Rewrite


def tables(
    where: Destination, databases: Iterable[str], below: Iterable[str]
) -> list[tuple[IcebergTable, str]]:
    """The tables in a place, below some prefixes, each with its database."""
    return [
        (own, using)
        for using in databases
        for own in IcebergTable.objects.using(using).filter(place=where.title).order_by("pk")
        if own.version and any(_overlap(own.folder, prefix) for prefix in below)
    ]


def _overlap(folder: str, prefix: str) -> bool:
    return folder.startswith(prefix) or prefix.startswith(folder)


def problems(
    own: IcebergTable, where: Destination, using: str, archives: list[Manifest], known: Records
) -> list[Problem]:
    """What is wrong with a table, of which these are the archives that can be believed."""
    if missing := FORMATS["iceberg"].missing:
        return [Problem(own.metadata_name(), f"cannot be read: {missing}")]
    try:
        found = reached(own, where)
        told = [*_beside(own, where, using, found), *_hint(own, where)]
    except LifecycleError as error:
        return [Problem(own.metadata_name(), f"cannot be read: {error}")]
    mine = [each for each in archives if each.files and each.files[0].name.startswith(own.data)]
    return [*told, *_unknown(own, found, mine), *_unshown(own, found, mine, known)]


def _beside(own: IcebergTable, where: Destination, using: str, found: Reach) -> Iterator[Problem]:
    making = {
        file.name
        for model in (Archive, Rewrite)
        for each in model.objects.using(using).filter(policy=own.policy).exclude(commit="")
        if (c := noted(each))
        for file in c.files
    }
    for each in Rewrite.objects.using(using).filter(policy=own.policy):
        making |= set(each.old)
    expected = found.metadata | making | {*own.leaving, f"{own.metadata}{HINT}"}
    there = dict(where.names(own.metadata))
    for name in there:
        if name not in expected:
            yield Problem(name, f"no version of the table {own.name} needs it")
    for name in sorted(found.metadata - there.keys()):
        yield Problem(name, "is missing")


def _hint(own: IcebergTable, where: Destination) -> Iterator[Problem]:
    name = f"{own.metadata}{HINT}"
    try:
        says = b"".join(where.read(name))[:20]
    except ObjectMissing:
        yield Problem(name, "is missing")
        return
    if says != str(own.version).encode():
        yield Problem(name, f"names another version than {own.version}")


def _unknown(own: IcebergTable, found: Reach, mine: list[Manifest]) -> Iterator[Problem]:
    sizes = {file.name: file.bytes for each in mine for file in each.files}
    count = Counter(each.name for each in found.shown)
    for each in found.shown:
        if each.name not in sizes:
            yield Problem(each.name, f"is shown by {own.name}, and of no archive that is known")
        elif each.bytes != sizes[each.name] or count[each.name] > 1:
            yield Problem(each.name, f"is shown by {own.name} otherwise than it was written")


def _unshown(
    own: IcebergTable, found: Reach, mine: list[Manifest], known: Records
) -> Iterator[Problem]:
    rows = Counter[str]()
    for shown in found.shown:
        rows[bare(shown.name)] += shown.rows
    for each in mine:
        if any(record.has_ended for record in known.get(each.name, [])) and (
            rows[each.name] != each.rows
        ):
            shows = f"{own.name} shows {rows[each.name]} of its {each.rows} rows"
            yield Problem(each.files[0].name, shows)
