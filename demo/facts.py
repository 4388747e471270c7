"""What the database and its ledger say of the story; nothing shown comes from anywhere else."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from lifecycle.db.connection import fetch, scalar
from lifecycle.db.sql import load
from lifecycle.models import Event, Kind, PolicyState
from lifecycle.policy.registry import all_policies

USING = "default"
POLICIES = [policy.name for policy in all_policies() if policy.model._meta.app_label == "demo"]


@dataclass
class Facts:
    """The ledger since event number `since`, about `rows` (each as `model:key`)."""

    since: int = 0
    rows: list[str] = field(default_factory=list)

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(policy, kind) -> how many of the rows, in how many events."""
        counted = run(__file__, "rows_recorded", since=self.since, rows=self.rows)
        return {(policy, kind): (rows, events) for policy, kind, rows, events in counted}

    def count(self, kind: str, policy: str | None = None) -> int:
        """How many of the rows have an event of that kind."""
        found = self.counts().items()
        return sum(rows for (p, k), (rows, _) in found if k == kind and policy in (None, p))

    def events(self, kind: str) -> int:
        """In how many events."""
        return sum(events for (_, k), (_, events) in self.counts().items() if k == kind)

    def told(self) -> dict[str, dict[str, int]]:
        """By policy: how many rows by kind; of tables whose keys no event names, all that ended."""
        found: dict[str, dict[str, int]] = {}
        unnamed = run(__file__, "rows_unnamed", since=self.since)
        named = [(policy, kind, rows) for (policy, kind), (rows, _) in self.counts().items()]
        for policy, kind, rows in [*named, *unnamed]:
            if policy in POLICIES:
                found.setdefault(policy, {})[kind] = int(rows)
        return found

    def lag(self) -> tuple[timedelta | None, timedelta | None]:
        """From due to tombstoned, and from the end of the grace to purged: the slowest row's."""
        return run(__file__, "lag", since=self.since, rows=self.rows)[0]

    def last_events(self, count: int) -> list[Event]:
        """The ledger's end, whoever wrote it; without `settled`, which is about no row."""
        events = Event.objects.filter(pk__gt=self.since).exclude(kind=Kind.SETTLED)
        return list(events.order_by("-pk")[:count])[::-1]


def run(module: str, name: str, /, **params: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement in the `.sql` file beside a module of the demonstration."""
    return fetch(USING, load(module, name), params)


def clock() -> datetime:
    """The database's clock, the only one that counts."""
    return scalar(USING, "SELECT lifecycle.now_v1()")


def last_event() -> int:
    """The number of the ledger's last event."""
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def stopped_policies() -> dict[str, str]:
    """Policies of the demonstration that end nothing now, with their state."""
    found = dict(PolicyState.objects.values_list("name", "state"))
    states = {name: found.get(name, "not in the database") for name in POLICIES}
    return {name: state for name, state in states.items() if state != PolicyState.State.ENABLED}


def server() -> str:
    """Which PostgreSQL this is."""
    version = connection.cursor().execute("SHOW server_version").fetchone()[0]
    return f"PostgreSQL {version.split()[0]}"
