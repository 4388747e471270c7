"""How many rows a batch takes: as many as fit into half a second, with what goes along."""

from lifecycle.policy.policy import Policy
from purge.batch.outcome import Outcome
from purge.passes.options import PassOptions

SLOW = 0.5  # seconds; PostgreSQL looks for deadlocks after 1
SMALLEST = 100  # rows
LARGEST = 10_000  # rows; no event lists more

# (database, policy) -> rows in a batch, as its last batches took time
_sizes: dict[tuple[str, str], int] = {}


def rows_of(policy: Policy, options: PassOptions, total: Outcome) -> int:
    """How many rows the next batch takes; a dry run leaves no rest of an entry to come back to."""
    size = _sizes.get((options.using, policy.name), policy.batch_rows)
    rows = LARGEST if options.dry else min(size, policy.batch_rows)
    left = options.left(total)
    return rows if left is None else min(rows, left)


def resize(policy: Policy, using: str, took: float, done: Outcome) -> None:
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


def halve(policy: Policy, using: str, rows: int) -> None:
    """The next batch is to be half of this one, which was too much."""
    _sizes[using, policy.name] = max(rows // 2, 1)
