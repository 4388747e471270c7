"""How many rows a batch takes: as many as fit into half a second, with what goes along."""

from lifecycle.db.pieces import most_of, take_fewer
from lifecycle.policy.policy import Policy
from purge.batch.outcome import Outcome
from purge.passes.options import PassOptions

SLOW = 0.5  # seconds; PostgreSQL looks for deadlocks after 1
SMALLEST = 100  # rows
LARGEST = 10_000  # rows; no event lists more
BATCH = "a batch"
SAME = 0.75  # of a batch's rows; one with more of them is no smaller one

Place = tuple[str, str]  # database, policy

_sizes: dict[Place, int] = {}  # rows in a batch, as the last ones took time
_slow: dict[Place, tuple[int, float]] = {}  # rows and seconds of the batch that was halved last
_fixed: dict[Place, float] = {}  # seconds that a batch takes however few rows it has


def rows_of(policy: Policy, options: PassOptions, total: Outcome) -> int:
    """How many rows the next batch takes; a dry run leaves no rest of an entry to come back to."""
    size = _sizes.get((options.using, policy.name), policy.batch_rows)
    rows = LARGEST if options.dry else min(size, policy.batch_rows)
    rows = most_of(BATCH, options.using, policy.name, rows)
    left = options.left(total)
    return rows if left is None else min(rows, left)


def resize(policy: Policy, using: str, took: float, done: Outcome) -> None:
    """Half after a batch whose rows took over half a second, twice after under a tenth.

    As many rows as fit into a batch with what went along with the last ones. What a batch takes
    however few rows it has is no reason to halve it.
    """
    place, most = (using, policy.name), policy.batch_rows
    if done.cascaded:
        most = max(most * done.looked // (done.looked + done.cascaded), 1)
    size = min(_sizes.get(place, most), most)
    rows = done.looked + done.cascaded
    by_rows = took - _fixed_part(place, took, rows)
    if by_rows > SLOW:
        _slow[place] = (rows, took)
        size = max(size // 2, min(SMALLEST, most))
    elif by_rows < SLOW / 5:
        size = min(size * 2, most)
    _sizes[place] = size


def _fixed_part(place: Place, took: float, rows: int) -> float:
    """The seconds that fewer rows would not save: found where the last halving saved too few."""
    fixed = min(_fixed.get(place, 0.0), took)
    before = _slow.pop(place, None)
    if before and took - fixed > SLOW and rows < before[0] * SAME:
        saved_by_row = max(before[1] - took, 0.0) / (before[0] - rows)
        fixed = max(fixed, took - saved_by_row * rows)
    _fixed[place] = fixed
    return fixed


def halve(policy: Policy, using: str, rows: int) -> None:
    """The next batch is to be half of this one, which was too much."""
    _sizes[using, policy.name] = max(rows // 2, 1)


def shorten(error: Exception, policy: Policy, using: str, rows: int) -> None:
    """Have batches be smaller where the server has stopped one of so many rows; else raise."""
    take_fewer(error, BATCH, using, policy.name, rows)
