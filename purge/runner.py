"""One pass over what is due, policy by policy. The whole flow, on one page:

    due_policies    which policies have something due and may act
    keep            for policies that archive: write, put, read back
    check_cap       too much due: halt before the first row
    run_batch       lock, look, act; one short transaction, until nothing is due
    sweep           the same for rows of windows, which no entry lists
    run_media       then the files that no row shows any more
    halt            a brake was hit: stop the policy, tell people

A killed run leaves nothing half done: its open transaction is gone, what it settled is settled,
the rest is still on the agenda.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections

from lifecycle import hours
from lifecycle.db import fetch, scalar, statement
from lifecycle.hours import hours_of
from lifecycle.logs import Log
from lifecycle.policy import Policy
from lifecycle.registry import all_policies, get_policy
from lifecycle.windows import is_windowed

from . import media, overriding, sweep
from .archive import gate, keeping
from .batch import ALWAYS, run_batch
from .brakes import check_cap, differs, is_other_version, standing
from .clock import check_clock
from .errors import ArchiveError, Halt, TooMany
from .halting import halt
from .models import Run
from .outcome import Outcome
from .override import Override

log = Log("purge")

SLOW = 0.5  # seconds; PostgreSQL looks for deadlocks after 1
SMALLEST = 100  # rows
LARGEST = 10_000  # rows; no event lists more
SILENT = timedelta(minutes=10)  # longer than any batch: such a run is not there any more

# (database, policy) -> rows in a batch, as its last batches took time
_sizes: dict[tuple[str, str], int] = {}


@dataclass
class Pass:
    """How a pass is made: by whom, how far, and whether it is taken back."""

    origin: str = "worker"
    actor: str = ""
    limit: int | None = None
    since: Any = ALWAYS
    dry: bool = False
    using: str = DEFAULT_DB_ALIAS
    deadline: float | None = None  # of time.monotonic(); the batch under way is finished
    any_hour: bool = False  # whatever the policy's hours are: a person wants it now
    override: Override | None = None  # only this, instead of what is due
    places: sweep.Places = field(default_factory=dict)  # where the sweeps of a dry run are
    gather: Any = None  # of a choice for an archive: takes what would end

    def __post_init__(self) -> None:
        self.seen: list[int] | None = [] if self.dry else None

    @property
    def is_over(self) -> bool:
        """Whether the pass has had its time."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def is_full(self, total: Outcome) -> bool:
        """Whether as many rows were looked at as were asked for."""
        return self.limit is not None and total.looked >= self.limit


def run_due(how: Pass | None = None) -> dict[str, Outcome]:
    """One batch of each policy in turn until nothing is due, so that none waits for another.

    Then the media, those of the rows that have just ended among them. An error of one policy stops
    that policy; it is logged, and raised when all others are done.
    """
    how = how or Pass()
    if how.since == ALWAYS and not how.dry:
        sweep.find_windows(how.using)
    waiting = {name: turns(get_policy(name), how) for name in due_policies(how.using, how.since)}
    done: dict[str, Outcome] = {}
    errors: list[Exception] = []
    while waiting:
        for name in list(waiting):
            try:
                done[name] = next(waiting[name])
            except StopIteration:
                del waiting[name]
            except Exception as error:
                log("run_failed", f"{name}: run failed", policy=name, database=how.using)
                errors.append(error)
                del waiting[name]
    files = media.run_media(how.using, how)
    if files.looked:
        done[media.MEDIA] = files
    if errors:
        raise errors[0]
    return done


def run_policy(policy: Policy, how: Pass | None = None) -> Outcome:
    """A pass over one policy."""
    outcome = Outcome()
    for outcome in turns(policy, how or Pass()):  # noqa: B007 - the last one holds all
        pass
    return outcome


def due_rows(policy: str, using: str = DEFAULT_DB_ALIAS) -> int:
    """How many rows the due entries of a policy list, at most."""
    return int(scalar(using, statement(__file__, "due_listed"), {"policy": policy}))


def due_policies(using: str = DEFAULT_DB_ALIAS, since: datetime = ALWAYS) -> list[str]:
    """The policies of this code that have something due and may act."""
    ready = ready_policies(using, since)
    return [each.policy for each in ready if each.due and each.policy != media.MEDIA]


class Ready(NamedTuple):
    """A policy that may act: whether anything of it is due, whether its hours let it end rows."""

    policy: str
    due: bool
    open: bool


def ready_policies(using: str = DEFAULT_DB_ALIAS, since: datetime = ALWAYS) -> list[Ready]:
    """The policies of this code that are neither stopped, held nor declared differently.

    Media are among them, as `MEDIA`.
    """
    if is_other_version(using):
        return []
    declared = {policy.name: policy for policy in all_policies()}
    timed = [name for name, policy in declared.items() if hours_of(policy)]
    found = []
    for name, stored, now, due, stones in fetch(
        using, statement(__file__, "due_policies"), {"since": since, "timed": timed}
    ):
        if name == media.MEDIA:
            found.append(Ready(name, due, True))
        policy = declared.get(name)
        if policy and not differs(policy, stored):
            is_open = name not in timed or hours.is_open(policy, now)
            some = due if is_open else stones and policy.disposition.hides
            found.append(Ready(name, some, is_open))
    return found


def close_interrupted(using: str = DEFAULT_DB_ALIAS) -> int:
    """Close the runs that a kill has left open; returns how many. Their counts are complete."""
    if is_other_version(using):
        return 0
    closed = fetch(using, statement(__file__, "interrupted"), {"silent": SILENT})
    if closed:
        log(
            "interrupted", f"{len(closed)} runs were interrupted", database=using, count=len(closed)
        )
    return len(closed)


def turns(policy: Policy, how: Pass) -> Any:
    """Run batch after batch; yields what is done so far after each."""
    total = Outcome(stopped=standing(policy, how.using, how.any_hour))
    if total.stopped:
        yield total
        return
    run = _start(policy, how)
    try:
        check_clock(scalar(how.using, "SELECT clock_timestamp()"), policy.name, how.using)
        for done in _batches(policy, how, run, total):
            total.add(done)
            yield total
    except Halt as error:
        halt(policy, error, how, run)
        total.stopped, total.halted = f"halted: {error}", True
        yield total
    except Exception as error:
        connections[how.using].close_if_unusable_or_obsolete()
        _finish(run, total, how, type(error).__name__)
        raise
    _finish(run, total, how)


def _batches(policy: Policy, how: Pass, run: Run, total: Outcome) -> Iterator[Outcome]:
    """First what people have asked for, then what is due; `total` is what was yielded before."""
    is_archived = gate.is_archived(policy) and not how.dry
    for override in _overrides(policy, how):
        if is_archived and not keeping.keep(policy, how, run.pk, _next_batch, override):
            raise ArchiveError(f"Another worker is archiving rows of {policy.name}: try again.")
        for done in overriding.batches(policy, how, run.pk, override):
            yield done
            if how.is_full(total):
                return
        if is_archived:
            keeping.settle(policy, how.using)
    if how.override:
        return
    if not sweep.is_under_way(policy, how.using):
        check_cap(policy, how.using)
    if is_archived:
        yield from _archived_batches(policy, how, run, total)
    else:
        yield from _due_batches(policy, how, run, total)


def _archived_batches(policy: Policy, how: Pass, run: Run, total: Outcome) -> Iterator[Outcome]:
    """First into archives, and read back; where that fails, rows are tombstoned all the same."""
    failed = None
    try:
        if not keeping.keep(policy, how, run.pk, _next_batch):
            return
    except ArchiveError as error:
        failed = error
    yield from _due_batches(policy, how, run, total)
    if failed:
        raise failed
    if not how.is_over and not how.is_full(total):
        keeping.settle(policy, how.using)


def _due_batches(policy: Policy, how: Pass, run: Run, total: Outcome) -> Iterator[Outcome]:
    while not how.is_over and not how.is_full(total):
        rows = min(_size(policy, how), how.limit - total.looked if how.limit else LARGEST)
        started = time.monotonic()
        try:
            done_now = _next_batch(policy, how, run.pk, rows)
        except TooMany:
            _sizes[how.using, policy.name] = max(rows // 2, 1)
            continue
        if done_now is None:
            return
        _resize(policy, how.using, time.monotonic() - started, done_now)
        yield done_now


def _next_batch(policy: Policy, how: Pass, run: int | None, rows: int) -> Outcome | None:
    """First the rows that are listed by their keys, then those of windows."""
    done = run_batch(policy, how.using, run, rows, how.since, how.seen, how.any_hour, how.gather)
    if done is None and is_windowed(policy):
        return sweep.run_batch(policy, how, run, rows)
    return done


def _overrides(policy: Policy, how: Pass) -> list[Override]:
    if how.override:
        return [how.override]
    return [] if how.dry else overriding.pending(policy, how.using)


def _size(policy: Policy, how: Pass) -> int:
    """How many rows the next batch takes; a dry run leaves no rest of an entry to come back to."""
    if how.dry:
        return LARGEST
    return min(_sizes.get((how.using, policy.name), policy.batch_rows), policy.batch_rows)


def _resize(policy: Policy, using: str, took: float, done: Outcome) -> None:
    """Half after a batch of over half a second, twice after one of under a tenth.

    As many rows as fit into a batch with what went along with the last ones.
    """
    place, most = (using, policy.name), policy.batch_rows
    if done.along:
        most = max(most * done.looked // (done.looked + done.along), 1)
    size = min(_sizes.get(place, most), most)
    if took > SLOW:
        size = max(size // 2, min(SMALLEST, most))
    elif took < SLOW / 5:
        size = min(size * 2, most)
    _sizes[place] = size


def _start(policy: Policy, how: Pass) -> Run:
    now = scalar(how.using, "SELECT lifecycle.now_v1()")
    run = Run(policy=policy.name, started_at=now, last_batch_at=now, origin=how.origin)
    run.actor = how.actor
    if not how.dry:
        run.save(using=how.using)
    return run


def _finish(run: Run, total: Outcome, how: Pass, error: str = "") -> None:
    """Close the run, whose counts its batches have kept; one that found nothing leaves no row."""
    if run.pk is None:
        return
    if not any(total.counts().values()) and not error and not run.error:
        run.delete()
        return
    run.finished_at = scalar(how.using, "SELECT lifecycle.now_v1()")
    run.error = error or run.error
    run.save(using=how.using, update_fields=["finished_at", "error"])
    counts = total.counts()
    done = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"
    told: dict[str, Any] = {"policy": run.policy, "database": how.using, "run": run.pk}
    log("run", f"{run.policy}: {done}", **told, **counts)
