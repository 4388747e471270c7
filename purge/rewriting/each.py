"""Archives one after the other: what stops one of them stops no other."""

from collections.abc import Callable, Iterable

from purge.archive.refusals import Unreachable
from purge.archiving.lock import LockLost
from purge.rewriting.rewrite import words_of
from purge.rewriting.task import Task


def each_archive(task: Task, names: Iterable[str], act: Callable[[str], None]) -> dict[str, str]:
    """Act on each archive; returns by name why one could not be, in words that hold no value.

    Once the lock is lost, or the destination answers nothing at all, no further one is begun: the
    reason is that of all that are left.
    """
    failed: dict[str, str] = {}
    over = ""
    for name in names:
        if over:
            failed[name] = over
            continue
        try:
            act(name)
        except Exception as error:  # of this archive, whatever it is
            failed[name] = words_of(error)
            over = _stops_all(task, name, error)
    return failed


def _stops_all(task: Task, name: str, error: Exception) -> str:
    """Why no other archive can be done either; empty where it can."""
    if isinstance(error, LockLost):
        return words_of(error)
    if isinstance(error, Unreachable):  # an object that is refused, or a place that is not there
        try:
            task.form.reach(name)
        except Exception as other:
            return words_of(other)
    return ""
