"""How large tables are, as the planner knows."""

from .compile import compiled
from .db import scalar, statement
from .policy import Policy


def estimated_rows(policy: Policy, using: str) -> int:
    """The rows of the policy's table when it was last analysed; 0 when it never was."""
    table = {"table": compiled(policy).tables[0]}
    return int(scalar(using, statement(__file__, "table_rows"), table))
