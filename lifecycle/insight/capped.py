"""How each policy stands and what ends next, read no further than a page needs.

A ledger of ten million events is answered for as quickly as a small one: of each policy so many
entries of the agenda are read by an index. What is counted no further is said to be at least that.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lifecycle.db.connection import Query, fetch, local_settings, statement
from lifecycle.insight.amounts import MOST, Amount
from lifecycle.insight.standstill import FIRST_TRY, IS_TRIED
from lifecycle.ledger.pending import DUE_AGENDA
from lifecycle.policy.policy import Policy

ALL = 30_000  # entries of the agenda that one page reads
LEAST = 500  # of a policy, however many there are
COLUMNS = 17  # those of the statement `status`
# The first entries by their index, where a plan that sorts all of them may look cheaper.
IN_ORDER = {
    "jit": "off", "enable_seqscan": "off", "enable_sort": "off", "enable_bitmapscan": "off",
}  # fmt: skip
SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


NONE = Amount(0)


@dataclass
class Counts:
    """Of one policy, in rows, each as far as it was counted; `day`, `week`, `month`: that end until
    then. `next_due` is the earliest moment that the agenda lists."""

    scheduled: Amount = NONE
    due: Amount = NONE
    tombstoned: Amount = NONE
    blocked: Amount = NONE
    held: Amount = NONE
    day: Amount = NONE
    week: Amount = NONE
    month: Amount = NONE
    next_due: datetime | None = None


@dataclass
class Capped:
    """The lines of the statement `status`, the counts by policy, and the database's clock."""

    lines: list[tuple[Any, ...]] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    now: datetime | None = None


def read(using: str, declared: dict[str, Policy], policies: int) -> Capped:
    """Of every stored policy, in the transaction under way; `policies`: about how many it is."""
    with local_settings(using, **IN_ORDER):
        return counted(fetch(using, *query(declared, policies)), policies)


def query(declared: dict[str, Policy], policies: int) -> Query:
    """What `read` asks; under the settings IN_ORDER."""
    graces = {name: _grace(policy) for name, policy in declared.items()}
    params = {"names": [*graces], "graces": [*graces.values()], "most": _most(policies)}
    parts = {"due_agenda": DUE_AGENDA, "is_tried": IS_TRIED, "first_try": FIRST_TRY}
    return Query(statement(__file__, "capped", **parts), params)


def counted(found: list[tuple[Any, ...]], policies: int) -> Capped:
    """The answer, with what it was counted to."""
    capped = Capped()
    for line in found:
        capped.lines.append(line[:COLUMNS])
        capped.counts[line[0]] = _counts(line, _most(policies))
        capped.now = line[12]
    return capped


def _most(policies: int) -> int:
    """Entries of each policy."""
    return min(MOST, max(LEAST, ALL // max(policies, 1)))


def _grace(policy: Policy) -> timedelta:
    """None where each row has its own, or nothing is hidden: the earliest end is told."""
    fixed = policy.disposition.hides and isinstance(policy.grace, timedelta)
    return policy.grace if fixed else timedelta(0)  # type: ignore[return-value]


def _counts(line: tuple[Any, ...], most: int) -> Counts:
    scheduled, due, tombstoned, _, held, blocked = line[3:9]
    more_due, more_coming, more_tried, *ends, upto = line[COLUMNS:]
    now = line[12]
    spans = {
        name: Amount(number, more_due or (more_coming and upto < now + span))
        for (name, span), number in zip(SPANS.items(), ends, strict=True)
    }
    return Counts(
        Amount(scheduled, more_coming), Amount(due, more_due),
        Amount(tombstoned, more_due or more_coming), Amount(blocked, more_tried),
        Amount(held, held >= most), **spans, next_due=line[10],
    )  # fmt: skip
