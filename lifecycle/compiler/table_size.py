"""How large tables are, as the planner knows."""

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import scalar, statement
from lifecycle.policy.policy import Policy


def estimated_rows(policy: Policy, using: str) -> int:
    """The rows of the policy's table when it was last analysed; 0 when it never was."""
    table = {"table": compiled(policy).tables[0]}
    return int(scalar(using, statement(__file__, "table_rows"), table))
