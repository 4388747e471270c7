"""Rows of which the newest or the oldest of a group are kept: `KeepNewest`, `KeepOldest`.

Deletes people's data. What is committed says which rows are counted out; but a newer row may be
deleted, or moved to another group, by a transaction that has not committed yet, and the older one
would be among the newest again. So a batch locks the rows that others are counted out by, and only
by rows that it has locked is a row counted out: FOR SHARE, never waited for. A row that somebody
else has locked counts for nobody, and what it would have counted out is kept until the next look.

No row of the first `n` of a group can be counted out by the locked ones, so none that a row of this
batch is counted out by ends in it. The locked rows of a group cannot be deleted before this batch
is committed.

A new row may displace an older one, which no agenda entry lists for now: it was kept when it was
looked at. The batch that evaluates the new row, after it was committed, lists the old one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from lifecycle.compiler.groups import Group, groups_of, parts_of
from lifecycle.compiler.windows import matching_of
from lifecycle.db.connection import Placed, fetch
from lifecycle.db.sql import literal
from purge.batch.state import Batch
from purge.batch.subjects import Subjects

#: verdicts of rows that may be counted out themselves and have displaced others before that
AT_ANY_PLACE = ("end", "tombstone", "later")


class Judged(Protocol):
    """A class of rows, with what is to be done with them."""

    @property
    def name(self) -> str: ...
    @property
    def subjects(self) -> Subjects: ...


@dataclass
class CountedOut:
    """By the place of each condition: the keys, as an array's text, that it does not keep."""

    groups: list[Group]
    params: dict[str, Any] = field(default_factory=dict)

    def expressions(self, batch: Batch, own: dict[str, Any]) -> dict[str, Any]:
        """How `keep` and `keeps` are read: who is not counted out by locked rows is kept."""
        if not self.groups:
            return {}
        stays = [self._stays(batch, number) for number in range(len(self.groups))]
        named = [
            f"CASE WHEN {each} THEN ARRAY[{literal(group.name)}] ELSE '{{}}'::text[] END"
            for each, group in zip(stays, self.groups, strict=True)
        ]
        is_named = own["keeps"] != "NULL"
        keeps = Placed(" || ".join([own["keeps"], *named])) if is_named else own["keeps"]
        return {"kept": Placed(f"(keep OR {' OR '.join(stays)})"), "keeps": keeps}

    def _stays(self, batch: Batch, number: int) -> str:
        return f"{batch.code.key.stored('key')} <> ALL (%(out_{number})s::{batch.code.key.kind}[])"


def count_out(batch: Batch, subjects: Subjects) -> CountedOut:
    """Lock the rows that others are counted out by; by the conditions that count in this batch."""
    found = CountedOut(groups_of(batch.declared))
    for number, group in enumerate(found.groups):
        text = batch.sql(__file__, "counted_out", **_parts(batch, group, subjects))
        _, keys = fetch(batch.using, text, _params(batch, group, subjects))[0]
        found.params[f"out_{number}"] = keys or "{}"
    return found


def list_displaced(batch: Batch, verdicts: Iterable[Judged]) -> None:
    """List rows for now that rows of the batch may have displaced from the first of their group."""
    known = groups_of(batch.policy)
    if not known or batch.dry or batch.collect_keys or batch.source.entries == "{}":
        return
    for group in known:
        for verdict in verdicts:
            _list(batch, group, verdict)


def _list(batch: Batch, group: Group, verdict: Judged) -> None:
    text = batch.sql(
        __file__, "displaced", **_parts(batch, group, verdict.subjects),
        claimed=_claimed(batch.source.subjects),
    )  # fmt: skip
    own = {f"claimed_{name}": value for name, value in batch.source.subjects.params.items()}
    own["any_place"] = verdict.name in AT_ANY_PLACE
    count, keys = fetch(batch.using, text, _params(batch, group, verdict.subjects) | own)[0]
    if count:
        batch.write("expiry_scheduled", batch.keys(count, keys), batch.now, relisted="group")


def _claimed(subjects: Subjects) -> Placed:
    """Whether `key` is one of a set, with parameters of other names."""
    text = str(subjects.where("key"))
    for name in subjects.params:
        text = text.replace(f"%({name})s", f"%(claimed_{name})s")
    return Placed(f"({text})")


def _parts(batch: Batch, group: Group, subjects: Subjects) -> dict[str, Any]:
    parts = parts_of(batch.policy, group.rule, matching_of(batch.policy))
    return parts | {"rows": subjects.where(batch.column)}


def _params(batch: Batch, group: Group, subjects: Subjects) -> dict[str, Any]:
    return batch.params(subjects, n=group.rule.n, last=group.rule.n - 1)
