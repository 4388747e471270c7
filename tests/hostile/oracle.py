"""What has become of each cell's rows, by plain SQL over tables and ledger.

Nothing of the package is asked, only its tables are read: what was due is gone and was recorded,
what was not due is there, unchanged; what is still there although it was due has a reason.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

if TYPE_CHECKING:
    from tests.hostile.models import Host

RIGHT, BLOCKED, REFUSED, WRONG, SILENT = "right", "blocked", "refused", "wrong", "silent"

ROWS = """
SELECT note, {key}, stuck, coalesce(expires_at <= clock_timestamp(), false), seen::text
FROM {table} AS seen {join}
"""
RECORDED = """
SELECT DISTINCT ON (told.id, key) told.kind, key, told.detail ->> 'error'
FROM lifecycle_event AS told
JOIN lifecycle_event AS owner ON owner.id = coalesce(told.basis, told.id),
LATERAL (
    SELECT unnest(owner.subjects_bigint)::text UNION ALL SELECT unnest(owner.subjects_uuid)::text
    UNION ALL SELECT unnest(owner.subjects_text)
    UNION ALL SELECT generate_series(
        lower(owner.subjects_range), upper(owner.subjects_range) - 1)::text
) AS named (written),
LATERAL (SELECT {key} AS key) AS spelled
WHERE told.model = %s AND told.kind IN ('purged', 'blocked', 'deleted')
AND told.id > %s
"""


End = tuple[str, str]  # which, and why
Told = dict[tuple[str, str], list[str]]  # by kind and key: the errors that events name


class Tuple(NamedTuple):
    """A row at one moment."""

    key: str
    stuck: bool
    due: bool
    whole: str


@dataclass
class Seen:
    """A table at one moment: its rows by their notes, the keys that others refer to."""

    rows: dict[str, Tuple] = field(default_factory=dict)
    kids: set[str] = field(default_factory=set)


def look(hosts: "list[Host]") -> dict[int, Seen]:
    """Every table as it is; as the owner, from whom nothing is hidden."""
    return {host.number: _look(host) for host in hosts if host.form.create}


def newest() -> int:
    """The last event."""
    return int(_ask("SELECT coalesce(max(id), 0) FROM lifecycle_event")[0][0])


def recorded(host: "Host", since: int) -> Told:
    """What the ledger says of a table's rows since an event: by kind and key, the errors named."""
    told: Told = {}
    text = RECORDED.replace("{key}", host.key.plain.format(f"written::{host.key.db_type}"))
    for kind, key, error in _ask(text, host.model._meta.label_lower, since):
        told.setdefault((kind, key), []).append(error or "")
    return told


def judge(before: Seen, after: Seen, told: Told, checks: set[str]) -> dict[str, End]:
    """By the writer's name: how its rows have ended, and why; of several ends the worst."""
    ends: dict[str, list[End]] = {}
    for note, row in before.rows.items():
        writer, _, _ = note.rpartition(" ")
        own = _without_kid(note, row, before, after)
        own = own or _one(row, after.rows.get(note), told, checks)
        ends.setdefault(writer, []).append(own)
    return {writer: max(found, key=_badness) for writer, found in ends.items()}


def _one(row: Tuple, now: Tuple | None, told: Told, checks: set[str]) -> End:
    purged, blocked = (told.get((kind, row.key), []) for kind in ("purged", "blocked"))
    if not row.due and (now is None or now.whole != row.whole):
        return WRONG, "a row that was not due is gone, or is another one"
    if len(purged) != (now is None):
        gone = "gone" if now is None else "there"
        return WRONG, f"a row is {gone}, {len(purged)} events say that it was purged"
    if ("deleted", row.key) in told:
        return WRONG, "what the worker did is recorded as the host's"
    if now is None or not row.due:
        return RIGHT, ""
    if blocked and row.stuck:
        return BLOCKED, min(blocked)
    if blocked:
        return WRONG, f"blocked, and nothing is in its way: {min(blocked)}"
    return (REFUSED, ", ".join(sorted(checks))) if checks else (SILENT, "a row stays")


def _without_kid(note: str, row: Tuple, before: Seen, after: Seen) -> End | None:
    """What refers to a row goes with it, or stays with it."""
    if row.key in before.kids and (row.key in after.kids) != (note in after.rows):
        return WRONG, "a row that refers to it has another fate"
    return None


def _badness(end: End) -> int:
    return (RIGHT, REFUSED, BLOCKED, SILENT, WRONG).index(end[0])


def _look(host: "Host") -> Seen:
    join = f"JOIN public.{host.name}_base USING (id)" if host.form.model == "child" else ""
    text = ROWS.replace("{key}", host.key.plain.format("seen.id"))
    found = _ask(text.replace("{table}", host.table).replace("{join}", join))
    seen = Seen({note: Tuple(*rest) for note, *rest in found})
    if host.form.has_kids:
        parent = host.key.plain.format("parent")
        seen.kids = {key for (key,) in _ask(f"SELECT {parent} FROM public.{host.name}_kid")}
    return seen


def _ask(text: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, params or None)
        return cursor.fetchall()
