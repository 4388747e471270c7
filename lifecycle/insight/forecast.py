"""What a policy would end if it were enabled now: shown before anybody enables it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, OperationalError
from django.utils.timezone import get_default_timezone, get_default_timezone_name

from lifecycle.backfill.progress import Progress, progress
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import Placed, Raw, fetch, limited, statement, was_stopped
from lifecycle.insight.there import counts_there, days_there
from lifecycle.ledger.caps import cap_of, room, room_and_over
from lifecycle.ledger.held_deleted import held_deleted, without_a_row
from lifecycle.policy.policy import Policy

DAYS = 30
PATIENCE = 10.0  # seconds for reading a table that may be large
TOO_LONG = f"reading the table takes more than {PATIENCE:.0f} seconds"
UNREADABLE = "the policy's expression fails on a row"


@dataclass
class Forecast:
    """One policy, in rows.

    listed, due   on the agenda, and of these those whose time has come: rows that are there, or
                  with `at_most` the agenda's own figures, which also count rows that are gone
    held          holds in force on the policy and on rows of its table
    days          how many go on each day from today, by the agenda; a row whose time has moved may
                  be counted twice, one that `keep_while` keeps is counted
    own_grace     each row has its own grace: `days` then says when the grace begins
    cap, left     the brake, and what it leaves now; `over`: it would halt the policy at once
    backfill      how far the reading of the table has come that lists its rows
    unread        why the table was not read; what it would tell is then None
    matching, ending, past, kept
                  rows of the table that match `when`, that have an end, that are past it, and of
                  these those that are kept
    oldest        the key and the end of the row that ends first
    """

    listed: int
    due: int
    held: int
    days: dict[date, int]
    own_grace: bool
    cap: int
    left: int
    over: bool
    at_most: bool = False
    backfill: Progress | None = None
    unread: str = ""
    matching: int | None = None
    ending: int | None = None
    past: int | None = None
    kept: int | None = None
    oldest: tuple[str, datetime] | None = None

    @property
    def unlisted(self) -> int:
        """At least so many rows that have an end are on no agenda yet: backfill lists them."""
        return max(0, (self.ending or 0) - self.listed)


def forecast(policy: Policy, using: str = DEFAULT_DB_ALIAS) -> Forecast:
    """What would go. Changes nothing; the table is read for some seconds at most."""
    name = {"policy": policy.name, "model": label_of(policy)}
    listed, due, held, now = fetch(using, statement(__file__, "forecast_listed"), name)[0]
    left = room(policy, using)
    found = Forecast(
        listed, due, held, days(policy, now, using), _own_grace(policy),
        cap_of(policy, using), left, over=due > left, backfill=progress(policy, using),
    )  # fmt: skip
    if listed and not (is_windowed(policy) or is_partitioned(policy)):
        there = counts_there(policy, listed, using)
        found.at_most = there is None
        found.listed, found.due = (there["listed"], there["due"]) if there else (listed, due)
    gone = [each for each in held_deleted(using) if each.model == name["model"]]
    found.held -= without_a_row(gone)
    try:
        with limited(using, PATIENCE):
            found.left, found.over = room_and_over(policy, using)
            found.cap = cap_of(policy, using, counted=found.left != left)
            _read_table(policy, found, now, using)
    except OperationalError as error:
        if not was_stopped(error):
            raise
        found.unread = TOO_LONG
    except DataError:
        found.unread = UNREADABLE
    return found


def days(policy: Policy, now: datetime, using: str = DEFAULT_DB_ALIAS) -> dict[date, int]:
    """Rows that go on each of the next 30 days of the site's calendar, by the agenda.

    Rows that are gone count only where the agenda lists too many to look each up.
    """
    fixed = policy.disposition.hides and not _own_grace(policy)
    params: dict[str, Any] = {"grace": policy.grace if fixed else timedelta(0)}
    params |= {"policy": policy.name, "span": timedelta(days=DAYS)}
    params["zone"] = get_default_timezone_name()
    known = dict(fetch(using, statement(__file__, "forecast_days"), params))
    there = days_there(policy, sum(known.values()), params, using)
    known = known if there is None else there
    today = now.astimezone(get_default_timezone()).date()
    return {day: known.get(day, 0) for day in (today + timedelta(days=n) for n in range(DAYS))}


def _own_grace(policy: Policy) -> bool:
    return policy.disposition.hides and not isinstance(policy.grace, timedelta)


def _read_table(policy: Policy, found: Forecast, now: datetime, using: str) -> None:
    code = compiled(policy)
    text = statement(__file__, "forecast_table", state_sql=Raw(code.state_sql))
    counts = fetch(using, text, {"now": now})[0]
    found.matching, found.ending, found.past, found.kept = counts
    parts = {"due_sql": Raw(code.due_sql), "key_text": Placed(code.key.text("key"))}
    text = statement(__file__, "forecast_oldest", **parts)
    rows: list[Any] = fetch(using, text)
    found.oldest = rows[0] if rows else None
