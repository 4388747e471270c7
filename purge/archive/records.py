"""What the database knows of its archives, with which a bucket's word is compared.

The ledger is the authority: its `archived` events have the SHA-256 of the manifest, and that has
the SHA-256 of each file. `purge_archive` has a copy of the manifest, which stands in where the
event is from before the SHA-256 was kept, and where no row has gone yet.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.printable import in_utc
from purge.archive.manifest import Manifest, ManifestError, read

FOUND = "`manage.py archive lost NAME --found`"


class Record(NamedTuple):
    """One archive as a database knows it.

    `sha256` is that of its manifest, empty where nothing says it. `copy` is a manifest of that
    SHA-256, where the database has one. `has_ended`: whether the ledger says that rows have gone
    into it. `replaced`: by which event another stands for it, with fewer rows. `lost`: by which a
    person has declared that it is gone.
    """

    name: str
    policy: str
    model: str
    sha256: str
    using: str
    copy: str
    has_ended: bool
    replaced: "Rewritten | None" = None
    lost: "Lost | None" = None

    @property
    def manifest(self) -> Manifest | None:
        """The manifest by the database's own copy."""
        try:
            return read(self.copy) if self.copy else None
        except ManifestError:
            return None


class Rewritten(NamedTuple):
    """That an archive was rewritten without some rows."""

    archive: str
    policy: str
    model: str
    event: int
    fewer: int
    name: str | None
    manifest: str | None
    is_late: bool

    @property
    def says(self) -> str:
        """As the end of a sentence about the old one."""
        left = f"as {self.name}" if self.name else "and no row was left"
        return f"was rewritten {left}, {self.fewer} rows fewer, by event {self.event}"


class Lost(NamedTuple):
    """That a person has declared an archive lost."""

    archive: str
    policy: str
    model: str
    event: int
    actor: str
    at: datetime
    reason: str

    @property
    def says(self) -> str:
        """As the end of a sentence about it, without the reason."""
        return f"was declared lost by {self.actor} on {in_utc(self.at)} (event {self.event})"


class Unknown(LifecycleError):
    """No ledger knows the archive as it is at the destination."""


Records = dict[str, list[Record]]  # by the archive's name


def records(databases: Iterable[str], names: list[str] | None = None) -> Records:
    """What the databases know of some archives, or of all."""
    found: Records = {}
    for using in databases:
        for record in _records(using, {"names": names}):
            found.setdefault(record.name, []).append(record)
    return found


def lost(databases: Iterable[str], names: list[str] | None = None) -> list[tuple[Lost, str]]:
    """Which of some archives, or of all, are declared lost, each with its database."""
    text, params = statement(__file__, "lost"), {"names": names}
    return [(Lost(*row), using) for using in databases for row in fetch(using, text, params)]


def known(manifest: Manifest, own: Iterable[Record]) -> Record:
    """The record of an archive whose manifest is the one that was written; `Unknown` without."""
    own = list(own)
    if replaced := next((each.replaced for each in own if each.replaced), None):
        raise Unknown(f"is of an archive that {replaced.says}")
    if gone := next((each.lost for each in own if each.lost), None):
        raise Unknown(f"is of an archive that {gone.says}, and is there again: {FOUND}")
    for record in own:
        if record.sha256 and record.sha256 == manifest.sha256:
            return record
    raise Unknown(why_unknown(own))


def why_unknown(own: list[Record]) -> str:
    """Why a manifest is not believed, as the end of a sentence about it."""
    if not own:
        return "is of an archive that the ledger does not know"
    if any(record.sha256 for record in own):
        return "is not the manifest that was written: the database has another SHA-256"
    return (
        "cannot be compared: its archive is from before the ledger had the SHA-256 of manifests,"
        " and purge_archive has no copy of it"
    )


def _records(using: str, params: dict[str, list[str] | None]) -> list[Record]:
    """Where the ledger has a SHA-256 of an archive, nothing else counts for its name."""
    events = [_Event(*row) for row in fetch(using, statement(__file__, "archived"), params)]
    rewritten = [Rewritten(*row) for row in fetch(using, statement(__file__, "replaced"), params)]
    replaced = {each.archive: each for each in rewritten}
    gone = {each.archive: each for each, _ in lost([using], params["names"])}
    events += [
        _Event(each.name, each.policy, each.model, each.manifest) for each in rewritten if each.name
    ]
    copies = {
        _Event(name, policy, model, sha256_of(text)): text
        for name, policy, model, text in fetch(using, statement(__file__, "copies"), params)
    }
    events = list(dict.fromkeys(events))
    hashed = [each for each in events if each.sha256]
    told = {each.name for each in hashed}
    older = {each for each in events if each.name not in told}
    copied = [each for each in copies if each.name not in told]
    bare = sorted(older - {each._replace(sha256=None) for each in copied})
    return [
        Record(
            each.name,
            each.policy,
            each.model,
            each.sha256 or "",
            using,
            copies.get(each, ""),
            ended,
            replaced.get(each.name),
            gone.get(each.name),
        )
        for each, ended in [
            *((each, True) for each in (*hashed, *bare)),
            *((each, each._replace(sha256=None) in older) for each in copied),
        ]
    ]


class _Event(NamedTuple):
    name: str
    policy: str
    model: str
    sha256: str | None


def sha256_of(text: str) -> str:
    """The SHA-256 of a manifest, as it is put."""
    return hashlib.sha256(text.encode()).hexdigest()
