"""The catalogue: which table a policy's archives are, and the step from one version to the next.

It is in the same database as the rows, so that a version becomes the table's in the transaction in
which the archive that it shows is verified.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from lifecycle.db.connection import scalar
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.policy import Policy
from purge.archive.destinations import Destination
from purge.exceptions import ArchiveError
from purge.models import IcebergTable


def known_table(policy: Policy, where: Destination, using: str) -> IcebergTable | None:
    """The table of a policy in this place; None where it has none yet."""
    prefix: str = policy.disposition.prefix  # type: ignore[attr-defined]
    own = IcebergTable.objects.using(using).filter(policy=policy.name, place=where.title)
    return own.filter(folder__startswith=prefix).order_by("-pk").first()


def new_table(policy: Policy, where: Destination, number: int, using: str) -> IcebergTable:
    """A table of a policy that is in no catalogue yet, with a name that none has."""
    prefix: str = policy.disposition.prefix  # type: ignore[attr-defined]
    folder = f"{prefix}{policy.name}{f'-{number}' if number > 1 else ''}/"
    return IcebergTable(
        name=_free_name(policy.name.replace("-", "_"), using), policy=policy.name,
        place=where.title, folder=folder, location=where.url(folder[:-1]),
    )  # fmt: skip


def _free_name(wanted: str, using: str) -> str:
    taken = set(
        IcebergTable.objects.using(using)
        .filter(name__startswith=wanted)
        .values_list("name", flat=True)
    )
    names = (wanted if n == 1 else f"{wanted}_{n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def advance(
    table: IcebergTable, version: int, sha256: str, using: str, leaving: Iterable[str] = ()
) -> None:
    """Make a version the table's, in the caller's transaction; `ArchiveError` where another worker
    has gone on meanwhile. `leaving` are objects that nobody needs any more then."""
    now: Any = scalar(using, "SELECT lifecycle.now_v1()")
    own = IcebergTable.objects.using(using).filter(pk=table.pk, version=table.version)
    told = {"version": version, "previous": table.version, "sha256": sha256, "committed_at": now}
    told["leaving"] = sorted({*table.leaving, *leaving})
    if not own.update(**told):
        raise ArchiveError(f"Another worker has written into the table {table.name} meanwhile.")
    for name, value in told.items():
        setattr(table, name, value)


@contextmanager
def translated(own: IcebergTable) -> Iterator[None]:
    """Whatever pyiceberg raises of files that are none of its kind, as an `ArchiveError`."""
    try:
        yield
    except LifecycleError:
        raise
    except Exception as error:
        name = type(error).__name__
        raise ArchiveError(f"The metadata of {own.name} cannot be used ({name}).") from error
