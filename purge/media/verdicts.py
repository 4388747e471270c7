"""What is to become of each name, and making it so.

An object goes only when no live row shows it and it is older than the event that orphaned it. The
order matters: the store is looked at first and the rows last, so that an upload which the store
did not have yet is seen by its row, as far as that is committed; only then objects are deleted.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps

from lifecycle.signals import media_manifest
from purge import s3
from purge.media import names
from purge.media.model import OrphanedFile, Verdict
from purge.media.observed import again
from purge.media.references import held
from purge.media.stores.base import GONE, Found, Look, Store, code_of

if TYPE_CHECKING:
    from purge.media.model import Batch


#: so long after the event an object of about its time, without a row, is no longer waited for
SETTLED = timedelta(minutes=10)
OBSERVED = "observed"  # why a file is kept, which `pick` reads again
CHANGED = {"Changed", "UploadedAgain"}  # codes of stores that delete only what was looked at


class OutOfReach(Exception):
    """The store does not answer, or not now: nothing is known, nothing is recorded."""


class Refused(Exception):
    """The store refuses the whole request: all that was asked for is blocked."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def settle(store: Store, orphans: list[OrphanedFile], batch: "Batch") -> list[Verdict]:
    """Decide on orphans of one store and delete those that go; a dry one deletes nothing."""
    known = {orphan.name: orphan for orphan in orphans}
    looked, told = _judge(store, known, batch)
    going = {verdict.orphan.name for verdict in told if verdict.kind == "media_purged"}
    try:
        more = _derived({name: known[name] for name in going})
    except Exception as error:  # a receiver's: without its names something would be left behind
        why = f"media_manifest {type(error).__name__}"
        return [_blocked(each.orphan, why) if each.orphan.name in going else each for each in told]
    if fresh := {name: more[name] for name in more.keys() - known.keys()}:
        found, verdicts = _judge(store, fresh, batch)
        looked |= found
        # Nobody knows that a derived name was ever there: one that is not is not told.
        told += [v for v in verdicts if v.kind != "media_purged" or v.orphan.name in found]
    if batch.dry:
        return told
    there = {v.orphan.name: looked[v.orphan.name] for v in told if _goes(v, looked)}
    said = _asked(store.delete, there) if there else {}
    gone = {name: there[name] for name in said if said[name] == GONE}
    back = store.undo(gone, lambda: held(store, gone)) if gone else []
    return [_after(verdict, said, back) for verdict in told]


def _judge(
    store: Store, known: dict[str, OrphanedFile], batch: "Batch"
) -> tuple[dict[str, Found], list[Verdict]]:
    """What was found of the names, and what is to become of each; nothing is changed."""
    refused = names.refused(store, known)
    good = sorted(known.keys() - refused.keys())
    look: Look = _asked(store.look, good)
    shown = held(store, good)
    told = [_blocked(known[name], why) for name, why in refused.items()]
    for name in good:
        told.append(_verdict(known[name], look, batch, in_use=name in shown))
    return look.found, told


def _verdict(orphan: OrphanedFile, look: Look, batch: "Batch", in_use: bool) -> Verdict:
    one = look.found.get(orphan.name)
    if in_use:
        return Verdict(orphan, "kept", "in use")
    if orphan.observed:
        return Verdict(orphan, "kept", OBSERVED, again(orphan.since, batch.now))
    if orphan.name in look.failed:
        return _blocked(orphan, look.failed[orphan.name])
    if one is None or one.at is None:  # not there; or its store knows no times
        return Verdict(orphan, "media_purged")
    slack = timedelta(seconds=look.slack + batch.skew)
    if one.at > orphan.since + slack:
        return Verdict(orphan, "kept", "uploaded again")
    # Of about the same time, or moved here since: a row that shows it may not be committed yet.
    unsure = max(one.at, one.moved or one.at) > orphan.since - slack
    if unsure and batch.now < orphan.since + SETTLED:
        return Verdict(orphan, "kept", "just written", orphan.since + SETTLED)
    return Verdict(orphan, "media_purged")


def _blocked(orphan: OrphanedFile, code: str) -> Verdict:
    return Verdict(orphan, "blocked", code)


def _goes(verdict: Verdict, looked: dict[str, Found]) -> bool:
    return verdict.kind == "media_purged" and verdict.orphan.name in looked


def _after(verdict: Verdict, said: dict[str, str], back: list[str]) -> Verdict:
    """What a verdict has become by what the store said."""
    orphan = verdict.orphan
    code = said.get(orphan.name, GONE)
    if orphan.name in back or code in CHANGED:
        return Verdict(orphan, "kept", "uploaded again")  # or shown by a row again
    return verdict if code == GONE else _blocked(orphan, code)


def _derived(going: dict[str, OrphanedFile]) -> dict[str, OrphanedFile]:
    """What receivers of `media_manifest` add, as orphans of the same field and time."""
    found: dict[str, OrphanedFile] = {}
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


def _asked(question: Callable[[Any], Any], about: Any) -> Any:
    """Ask a store; `OutOfReach` and `Refused` in place of whatever it raises."""
    try:
        return question(about)
    except Exception as error:
        if s3.passes(error):
            raise OutOfReach(code_of(error)) from error
        raise Refused(code_of(error)) from error
