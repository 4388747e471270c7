"""What metrics say of workers; `lifecycle.metrics` asks for it by a hook, and runs it."""

from lifecycle.db.connection import statement
from lifecycle.hooks import Measures
from purge.batch.outcome import BOUNDS


def measures() -> Measures:
    """The statement and its parameters."""
    return statement(__file__, "measures"), {"bounds": BOUNDS}
