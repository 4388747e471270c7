"""Rows out of archives by a person's word: those that have some values in some columns.

The values are in no event, log or table: who is killed says them again. Archives that were
rewritten by then stay so, and are not looked through in vain.
"""

from dataclasses import dataclass, field, replace

from django.db import connections

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import in_context
from lifecycle.policy.databases import of_policy
from lifecycle.policy.dispositions import Archive
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from purge.archive.form import Wanted
from purge.erasure.refusals import check_asked
from purge.models import Rewrite
from purge.rewriting.each import each_archive
from purge.rewriting.rewrite import clean, rewrite, sweep
from purge.rewriting.task import Task, alone


@dataclass(frozen=True)
class ErasedRows:
    """What left the archives of a policy: rows by archive; what is still there of old ones.

    left      archives that were rewritten and are not gone yet, each with why; a worker goes on
    failed    archives that could not be done, each with why: rows may still be in them, no event
              says otherwise, and nobody tries it again by himself
    lost      archives that a person has declared lost, in words: they were not looked through
    dry_run   nothing was changed: what would go
    """

    policy: str
    reference: str
    archives: dict[str, int] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def rows(self) -> int:
        """Of all archives."""
        return sum(self.archives.values())


def erase_archived(
    policy: str, where: dict[str, str], reference: str, actor: str = "", dry_run: bool = False,
    using: str | None = None,
) -> ErasedRows:  # fmt: skip
    """Rewrite the archives of a policy without the rows that have all of some values.

    `where` is by the columns' names as the archives have them; a value is compared exactly, as
    text. Each archive is one transaction with its event; what is left of the old ones is removed
    afterwards, by a worker where that fails here. An archive that cannot be done, because it is not
    as the ledger has it, is not there, or has a row that is held, is in `failed`, and the others
    are done. Raises `ErasureRefused` where the policy is held. Not inside a transaction. With
    `dry_run` only read.
    """
    found = get_policy(policy)
    using = using or of_policy(policy)
    who = actor or in_context("actor", using)
    _check(found, where, reference, who)
    if connections[using].in_atomic_block:
        raise LifecycleError("Archives are not rewritten inside a transaction: end it first.")
    with alone(found, using) as task:
        if task is None:
            raise LifecycleError(f"Another process works on archives of {policy}: try again.")
        task.refuse_stopped()
        if dry_run:
            begun = ErasedRows(policy, reference, lost=_lost(task), dry_run=True)
            return _counted(task, Wanted(where, True), begun)
        clean(task)
        begun = ErasedRows(policy, reference, lost=_lost(task))
        done = _rewritten(task, Wanted(where, True), begun, who)
        sweep(task)
        return replace(done, left=_left(task))


def _check(policy: Policy, where: dict[str, str], reference: str, actor: str) -> None:
    if not isinstance(policy.disposition, Archive):
        raise LifecycleError(f"{policy.name} has no archives.")
    if not where or not all(isinstance(value, str) for value in where.values()):
        raise LifecycleError("Say which rows: a column and its value, as text.")
    check_asked(reference, actor)


def _counted(task: Task, wanted: Wanted, found: ErasedRows) -> ErasedRows:
    """How many rows would go, by archive."""

    def count(name: str) -> None:
        if keys := list(task.form.keys(name, wanted)):
            task.refuse_held(keys)
            found.archives[name] = len(keys)

    return replace(found, failed=each_archive(task, task.form.names(), count))


def _rewritten(task: Task, wanted: Wanted, done: ErasedRows, actor: str) -> ErasedRows:
    def act(name: str) -> None:
        task.refuse_stopped()  # since the last one
        prepared = rewrite(task, name, wanted, reference=done.reference, actor=actor)
        if prepared is not None:
            done.archives[name] = len(prepared.keys)

    return replace(done, failed=each_archive(task, task.form.names(), act))


def _lost(task: Task) -> dict[str, str]:
    return {name: each.says for name, each in task.form.lost().items()}


def _left(task: Task) -> dict[str, str]:
    rows = Rewrite.objects.using(task.using).filter(policy=task.policy.name)
    return dict(rows.values_list("archive", "error"))
