"""Decide what becomes of each orphaned name, and delete the objects that go.

An object goes only when no live row shows it and it is older than the event that orphaned it. The
order matters: the store is listed first and the rows are read last, so that an upload which the
store did not have yet is seen by its row, as far as that is committed. Then objects are deleted.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps

from lifecycle.signals import media_manifest
from purge import s3
from purge.media import names
from purge.media.model import FileDecision, MediaBatch, OrphanedFile
from purge.media.stores.base import GONE, Listing, Store, StoredObject, code_of

#: so long after the event an object of about its time, without a row, is no longer waited for
SETTLED = timedelta(minutes=10)
RECHECK_MIN, RECHECK_MAX = timedelta(days=1), timedelta(days=7)  # of names that are only observed
OBSERVED = "observed"  # why a file is kept; `claim` reads it from the event
CHANGED = {
    "Changed",
    "UploadedAgain",
}  # codes of objects that are not the listed ones

Orphans = dict[str, OrphanedFile]  # by name


class OutOfReach(Exception):
    """The store does not answer, or not now: nothing is known, nothing is recorded."""


class Refused(Exception):
    """The store refuses the whole request: all of its names are blocked."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def settle(store: Store, orphans: list[OrphanedFile], batch: MediaBatch) -> list[FileDecision]:
    """Decide on orphans of one store and delete those that go; a dry batch deletes nothing."""
    known = {orphan.name: orphan for orphan in orphans}
    objects, decisions = _decide(store, known, batch)
    going = {each.orphan.name for each in decisions if each.kind == "media_purged"}
    try:
        more = _derived({name: known[name] for name in going})
    except Exception as error:  # a receiver's: without its names something would be left behind
        why = f"media_manifest {type(error).__name__}"
        return [_blocked(d.orphan, why) if d.orphan.name in going else d for d in decisions]
    if fresh := {name: more[name] for name in more.keys() - known.keys()}:
        found, others = _decide(store, fresh, batch)
        objects |= found
        # Nobody knows whether a derived name ever had an object: one without is not recorded.
        decisions += [d for d in others if d.kind != "media_purged" or d.orphan.name in found]
    return decisions if batch.dry else _delete(store, objects, decisions)


def _delete(
    store: Store, objects: dict[str, StoredObject], decisions: list[FileDecision]
) -> list[FileDecision]:
    """Delete what goes; the decisions as the store's answers leave them."""
    going = [each.orphan.name for each in decisions if each.kind == "media_purged"]
    there = {name: objects[name] for name in going if name in objects}
    codes = _request(store.delete, there) if there else {}
    gone = {name: there[name] for name in codes if codes[name] == GONE}
    restored = store.undo(gone, lambda: names.referenced_names(store, gone)) if gone else []
    return [_after(decision, codes, restored) for decision in decisions]


def _decide(
    store: Store, known: Orphans, batch: MediaBatch
) -> tuple[dict[str, StoredObject], list[FileDecision]]:
    """The objects of the names, and what is to become of each; nothing is changed."""
    refused = names.refused(store, known)
    good = sorted(known.keys() - refused.keys())
    listing: Listing = _request(store.list_objects, good)
    shown = names.referenced_names(store, good)
    decisions = [_blocked(known[name], why) for name, why in refused.items()]
    for name in good:
        decisions.append(_decision(known[name], listing, batch, in_use=name in shown))
    return listing.objects, decisions


def _decision(
    orphan: OrphanedFile, listing: Listing, batch: MediaBatch, in_use: bool
) -> FileDecision:
    one = listing.objects.get(orphan.name)
    if in_use:
        return FileDecision(orphan, "kept", "in use")
    if orphan.observed:
        return FileDecision(orphan, "kept", OBSERVED, _recheck_at(orphan.since, batch.now))
    if orphan.name in listing.failed:
        return _blocked(orphan, listing.failed[orphan.name])
    if one is None or one.at is None:  # not there; or its store knows no times
        return FileDecision(orphan, "media_purged")
    slack = timedelta(seconds=listing.slack + batch.skew)
    if one.at > orphan.since + slack:
        return FileDecision(orphan, "kept", "uploaded again")
    # Of about the same time, or moved here since: a row that shows it may not be committed yet.
    unsure = max(one.at, one.moved or one.at) > orphan.since - slack
    if unsure and batch.now < orphan.since + SETTLED:
        return FileDecision(orphan, "kept", "just written", orphan.since + SETTLED)
    return FileDecision(orphan, "media_purged")


def _recheck_at(since: datetime, now: datetime) -> datetime:
    """A name that is only observed waits as long as it has waited, a day to a week."""
    return now + min(max(now - since, RECHECK_MIN), RECHECK_MAX)


def _blocked(orphan: OrphanedFile, code: str) -> FileDecision:
    return FileDecision(orphan, "blocked", code)


def _after(decision: FileDecision, codes: dict[str, str], restored: list[str]) -> FileDecision:
    """A decision as the store's answer leaves it."""
    orphan = decision.orphan
    code = codes.get(orphan.name, GONE)
    if orphan.name in restored or code in CHANGED:
        return FileDecision(orphan, "kept", "uploaded again")  # or shown by a row again
    return decision if code == GONE else _blocked(orphan, code)


def _derived(going: Orphans) -> Orphans:
    """The names that receivers of `media_manifest` add, as orphans of the same field and time."""
    found: Orphans = {}
    if not media_manifest.receivers:
        return found
    fields: dict[tuple[str, str], list[OrphanedFile]] = {}
    for orphan in going.values():
        fields.setdefault((orphan.model, orphan.field), []).append(orphan)
    for (model, name), own in fields.items():
        since = min(orphan.since for orphan in own)
        chosen: Any = apps.get_model(model)._meta.get_field(name)
        for more in names.derived(chosen, (orphan.name for orphan in own)):
            found[more] = replace(own[0], name=more, since=since)
    return found


def _request(method: Callable[[Any], Any], argument: Any) -> Any:
    """Call a store; raises `OutOfReach` or `Refused` in place of whatever it raises."""
    try:
        return method(argument)
    except Exception as error:
        if s3.passes(error):
            raise OutOfReach(code_of(error)) from error
        raise Refused(code_of(error)) from error
