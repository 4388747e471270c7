"""What must have become of each row: worked out from what was done, by nothing of the product.

Times are seconds since 1970 of the machine's clock, which the server shares.
"""

import gzip
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

#: The keys of events by their columns; an event without any has those of the one that it names.
ENDED = """
WITH told AS (
  SELECT e.id, e.model, extract(epoch FROM e.recorded_at)::float8 AS at,
    coalesce(e.subjects_bigint, b.subjects_bigint) AS keys,
    coalesce(e.subjects_range, b.subjects_range) AS span
  FROM lifecycle_event AS e LEFT JOIN lifecycle_event AS b ON b.id = e.basis WHERE e.kind = 'purged'
)
SELECT model, key, at FROM told, LATERAL (
  SELECT unnest(keys) AS key UNION ALL
  SELECT generate_series(lower(span), upper(span) - 1) WHERE span IS NOT NULL
) AS each
"""


@dataclass
class Known:
    """A row, and all that was done about it."""

    kind: str
    key: int
    due: float
    text: str
    image: str = ""
    deleted: bool = False  # by the site
    spared: bool = False  # brought back by a person, for as long as its end stays
    loose: bool = False  # either is right: its end was a later one in the backup
    held_since: float | None = None
    holds: list[tuple[float, float]] = field(default_factory=list)  # those that are over

    def was_held(self, at: float) -> bool:
        """Whether a hold was in force for sure."""
        return any(since < at < until for since, until in self.holds) or (
            self.held_since is not None and at > self.held_since
        )


class Oracle:
    """Every row that there ever was."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Known] = {}
        self.backup: dict[tuple[str, int], float] | None = None  # with their ends
        self.restores = 0

    def add(self, row: Known) -> None:
        assert (row.kind, row.key) not in self.rows, f"{row.kind} {row.key} has an old key"
        self.rows[row.kind, row.key] = row

    def backed_up(self) -> bool:
        """Whether there is a backup."""
        return self.backup is not None

    def back_up(self) -> None:
        """What a backup has of each row."""
        there = {name: row for name, row in self.rows.items() if not row.deleted}
        self.backup = {name: row.due for name, row in there.items()}

    def restored(self) -> None:
        """Rows from after the backup are lost; what became of others the published log knows.

        Also of those that were to end later: the columns that are back say otherwise.
        """
        assert self.backup is not None
        self.restores += 1
        for name, row in self.rows.items():
            if name not in self.backup:
                row.deleted = True
            elif row.due < self.backup[name]:
                row.loose = True

    def shift(self, seconds: float) -> None:
        """All that the database remembers was made so much older."""
        for row in self.rows.values():
            row.due -= seconds
            if self.backup and (row.kind, row.key) in self.backup:
                self.backup[row.kind, row.key] -= seconds
            row.held_since = None if row.held_since is None else row.held_since - seconds
            row.holds = [(since - seconds, until - seconds) for since, until in row.holds]

    def must_go(self, now: float) -> set[tuple[str, int]]:
        """The rows that nothing keeps, whose end is past, and which the site has not deleted."""
        return {
            name
            for name, row in self.rows.items()
            if not (row.deleted or row.spared or row.loose or row.held_since) and row.due <= now
        }

    def must_stay(self, now: float) -> set[tuple[str, int]]:
        """The rows that are there when all is done."""
        gone = self.must_go(now)
        kept = {n for n, row in self.rows.items() if not row.deleted and not row.loose}
        return kept - gone

    def must_not_be(self) -> set[tuple[str, int]]:
        """The rows that the site has deleted, or that a restore has lost."""
        return {name for name, row in self.rows.items() if row.deleted}


def wrong(
    oracle: Oracle, connection: "psycopg.Connection[Any]", objects: dict[str, bytes], now: float
) -> list[str]:
    """What is not as it must be, in words; `objects` are those of the bucket."""
    there = _there(connection)
    ended = connection.execute(ENDED).fetchall()
    return [
        *_rows(oracle, there, now),
        *_events(oracle, ended, now),
        *_files(oracle, there, objects, now),
        *_archived(oracle, ended, objects),
    ]


def _there(connection: "psycopg.Connection[Any]") -> set[tuple[str, int]]:
    return {
        (kind, key)
        for kind in ("note", "photo", "line")
        for (key,) in connection.execute(f"SELECT id FROM faults_{kind}")
    }


def _rows(oracle: Oracle, there: set[tuple[str, int]], now: float) -> list[str]:
    stay, go = oracle.must_stay(now), oracle.must_go(now)
    return [
        *(f"{kind} {key} is gone before its time" for kind, key in sorted(stay - there)),
        *(f"{kind} {key} is still there" for kind, key in sorted(go & there)),
        *(f"{kind} {key} is back" for kind, key in sorted(oracle.must_not_be() & there)),
    ]


def _events(oracle: Oracle, ended: list[tuple[str, int, float]], now: float) -> list[str]:
    names = [(model.partition(".")[2], key) for model, key, _ in ended]
    times = dict(zip(names, (at for *_, at in ended), strict=True))
    twice = [name for name, count in Counter(names).items() if count > 1 + oracle.restores]
    found = [f"{kind} {key} has ended twice" for kind, key in twice]
    for name in sorted(oracle.must_go(now) - set(names)):
        found.append(f"{name[0]} {name[1]} has ended, and no event says so")
    for name, at in times.items():
        row = oracle.rows[name]
        if at < row.due and not row.deleted and not row.loose:
            found.append(f"{name} ended {row.due - at:.3f} s before it was due")
        if row.was_held(at):
            found.append(f"{name} ended while it was held")
    return found


def _files(
    oracle: Oracle, there: set[tuple[str, int]], objects: dict[str, bytes], now: float
) -> list[str]:
    found = []
    go = oracle.must_go(now)
    for name, row in oracle.rows.items():
        if row.image and name in there and row.image not in objects:
            found.append(f"{name}: its file is gone")
        if row.image and name in go and row.image in objects:
            found.append(f"{name}: its file is still there")
    return found


def _archived(
    oracle: Oracle, ended: list[tuple[str, int, float]], objects: dict[str, bytes]
) -> list[str]:
    """Each line that has ended stands in an archive as it was."""
    kept: dict[int, str] = {}
    for name, body in objects.items():
        if name.startswith("lines/") and name.endswith(".jsonl.gz"):
            for line in gzip.decompress(body).splitlines():
                told = json.loads(line)
                kept[int(told["id"])] = told["text"]
    gone = (key for model, key, _ in ended if model == "faults.line")
    return [
        f"line {key} has ended, and no archive has it"
        for key in gone
        if kept.get(key) != oracle.rows["line", key].text
    ]
