"""The promises as SQL: each file beside this one finds what breaks one promise.

A file gives `(event, subject, problem)` for each violation and nothing when the promise is kept.
They read the ledger from its beginning, 2 and 11 the tables of the policies, and 4 all names of
files, in one snapshot; no write waits for them. 13 reads a sample, unless all is asked for.

A promise that cannot be evaluated is a violation of its own. Where that is for an event whose
detail is not of the shapes of promise 10, the promise is evaluated of all others.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from psycopg import sql

from lifecycle.compiler.identity import is_whole
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import ALL_ROWS, DENIED, Placed, Raw, fetch, part, scalar, sqlstate
from lifecycle.db.progress import Tell, telling
from lifecycle.db.sql import function_file, literal
from lifecycle.db.test_databases import is_test_database
from lifecycle.hooks import strayed
from lifecycle.ledger.resurrected import ended_tables, search, told_when_written
from lifecycle.policy.databases import with_rows
from lifecycle.policy.dispositions import Archive
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import opened_at
from lifecycle.promises import gone
from lifecycle.promises.files import fields_in, labels_of, names_of
from lifecycle.promises.rows import captured_of, policies_in, readable_of, rows_of

FOLDER = Path(__file__).parent
PROJECTIONS = "promise_06_projections_are_the_fold"
SHAPES = "promise_10_no_field_values"  # what the detail of an event may be like
OWN_PATH, LEDGER = " SET search_path = pg_catalog, pg_temp", "lifecycle_event AS"  # of `fold_v1`
STATED = timedelta(hours=1)
NOTHING_RETURNED = (
    "SELECT '' AS model, 0 AS event, '' AS key, ''::bytea AS identity, true AS same, true AS older"
    " LIMIT 0"
)
_ENDED = "event.kind {} AND event.model = {} AND coalesce(event.detail ->> 'identity', '') = {}"


class Given(NamedTuple):
    """What all promises of one check are asked with.

    params    of their statements
    captured  labels of the models whose rows triggers capture
    readable  the policies of captured rows, where there are any and they can be read
    deep      compare every row that was purged
    """

    params: dict[str, Any]
    captured: set[str]
    readable: list[Policy]
    deep: bool


class Violation(NamedTuple):
    """One finding: the event (if it is one), what it is about, what is wrong. No field values."""

    event: int | None
    subject: str
    problem: str


def names() -> list[str]:
    """The checks, by name."""
    return sorted(path.stem for path in FOLDER.glob("promise_*.sql"))


def check(
    using: str = DEFAULT_DB_ALIAS,
    stated: timedelta = STATED,
    only: Iterable[str] | None = None,
    deep: bool = False,
) -> dict[str, list[Violation]]:
    """The violations of each promise, by its name; a promise that is kept has an empty list.

    `stated` is how long something may be due and not done; `deep` compares every row that was
    purged with its table, not a sample. Leaves the database as it was.
    A promise that cannot be evaluated has a violation that says so; `unreadable` names policies.
    """
    return dict(checked(using, stated, only, deep))


def checked(
    using: str = DEFAULT_DB_ALIAS, stated: timedelta = STATED, only: Iterable[str] | None = None,
    deep: bool = False, begin: Callable[[str], Tell] | None = None,
) -> Iterator[tuple[str, list[Violation]]]:  # fmt: skip
    """As `check`, each promise as soon as it is known; all in one snapshot, which lives as long.

    `begin` is called with the name of each before, and gives what is told how far it is.
    """
    chosen = names() if only is None else list(only)
    outermost = not connections[using].in_atomic_block
    with transaction.atomic(using=using):
        if outermost:
            fetch(using, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        fetch(using, ALL_ROWS)  # a row that is hidden must not count as one that has gone
        fetch(using, "SET LOCAL jit = off")  # compiling takes longer than these statements do
        given = _given(using, stated, chosen, deep)
        for name in chosen:
            with telling(using, begin and begin(name)):
                found = _evaluated(using, name, given)
            yield name, found
        transaction.set_rollback(True, using=using)


def _given(using: str, stated: timedelta, chosen: list[str], deep: bool) -> Given:
    known = policies_in(using)
    captured = captured_of(known)
    labels = {label_of(policy) for policy in captured}
    wants_rows = any("{r" in _load(name) for name in chosen)
    readable = readable_of(using, with_rows(using, captured)) if wants_rows else []
    return Given(_params(using, stated, known), labels, readable, deep)


def _evaluated(using: str, name: str, given: Given) -> list[Violation]:
    """The violations of one promise, whatever the others are like."""
    try:
        with transaction.atomic(using=using):
            return _violations(using, name, given)
    except DatabaseError as error:
        reason = why_not(error)
    try:
        with transaction.atomic(using=using):
            _set_strange_apart(using, given)
            found = _violations(using, name, given, without_strange)
            fetch(using, "DROP VIEW pg_temp.sound_event")
            return found
    except DatabaseError:
        return [Violation(None, "the promise", f"cannot be checked: {reason}")]


def why_not(error: BaseException) -> str:
    """Why a statement failed, without a value of a row: missing rights by name, else the class."""
    code = sqlstate(error)
    return str(error).splitlines()[0] if code == DENIED else f"SQLSTATE {code}"


def _set_strange_apart(using: str, given: Given) -> None:
    """Make a view of the events but for those whose detail is none."""
    found = _violations(using, SHAPES, given)
    numbers = ", ".join(str(event) for event in sorted({each.event or 0 for each in found})) or "0"
    view = "CREATE TEMP VIEW sound_event AS SELECT * FROM lifecycle_event WHERE id NOT IN ({})"
    fetch(using, view.format(numbers))


def without_strange(text: str) -> str:
    """The SQL of a promise over the view in place of the ledger, in FROM and JOIN."""
    sound = "(SELECT * FROM lifecycle.story_v1() WHERE id IN (SELECT id FROM pg_temp.sound_event))"
    text = re.sub(r"lifecycle\.story_v1\(\)(?! AS)", f"{sound} AS story", text)
    text = text.replace("lifecycle.story_v1() AS", f"{sound} AS")
    text = re.sub(r"\b(FROM|JOIN) lifecycle_event AS", r"\1 pg_temp.sound_event AS", text)
    known = "pg_temp.sound_event AS lifecycle_event"
    return re.sub(r"\b(FROM|JOIN) lifecycle_event\b", rf"\1 {known}", text)


def _violations(
    using: str, name: str, given: Given, changed: Callable[[str], str] = str
) -> list[Violation]:
    if "{there}" in _load(name):
        found = gone.violations(using, _load(name), given.captured, given.deep)
        return [Violation(*row) for row in found]
    parts = {"rows": part(Raw(rows_of(given.readable)))}
    if "{fold}" in _load(name):
        parts["fold"] = part(Raw(_fold(using)))
    if "{files}" in _load(name):
        fields = fields_in(using)
        parts |= {"files": part(Raw(names_of(fields))), "fields": part(Raw(labels_of(fields)))}
    if "{returned}" in _load(name):
        parts["returned"] = part(_returned(using, given.readable))
    text = changed(sql.SQL(_load(name)).format(**parts).as_string())
    with connections[using].cursor() as cursor:
        cursor.execute(text, given.params)
        while cursor.nextset():
            pass  # a file of several statements: the last one gives the violations
        rows = cursor.fetchall()
    more = strayed(using) if name == PROJECTIONS else []
    return [Violation(*row) for row in (*rows, *more)]


def _fold(using: str) -> str:
    """The functions that fold the ledger, as they are, but into tables of the check.

    The ledger is read by a name that is not qualified, so that a view can stand in for it.
    """
    schema = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = {}"
    fold = function_file("fold_v1").replace(OWN_PATH, "")
    text = f"{function_file('decide_v1')};\n{fold.replace('@tables@.lifecycle_event AS', LEDGER)}"
    for name in ("agenda", "exception", "policy"):
        text = text.replace(f"@tables@.lifecycle_{name}", f"pg_temp.fold_{name}")
    for name in ("decide_v1", "fold_v1"):
        text = text.replace(f"lifecycle.{name}(", f"pg_temp.{name}(")
    return text.replace("@tables@", scalar(using, schema.format("'lifecycle_event'::regclass")))


@cache
def _load(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def _returned(using: str, readable: list[Policy]) -> Placed:
    """Rows that are there under keys that have ended, of the tables that can be read.

    Of those that the site itself deleted, and that only their whole row tells, the ones whose
    writing anew the ledger would know.
    """
    labels, found = {label_of(policy) for policy in readable}, []
    for model, names in ended_tables(using):
        label = model._meta.label_lower
        own = [policy for policy in readable if label_of(policy) == label]
        told = told_when_written(model, own) if is_whole(names) else "true"
        kinds = {"= 'purged'": "true", "= 'deleted'": told}
        for kind, wanted in kinds.items() if label in labels else ():
            ended = _ENDED.format(kind, literal(label), literal(names))
            text = search(model, names, ended, wanted)
            found.append(f"SELECT {literal(label)} AS model, lc.* FROM ({text}) AS lc")  # noqa: S608
    return Placed(" UNION ALL ".join(found) or NOTHING_RETURNED)


def _params(using: str, stated: timedelta, policies: list[Policy]) -> dict[str, Any]:
    now = scalar(using, "SELECT lifecycle.now_v1()")
    return {
        "stated": stated,
        "testing": is_test_database(connections[using]),
        "graced": [p.name for p in policies if _has_grace(p)],
        "archiving": [p.name for p in policies if isinstance(p.disposition, Archive)],
        "noticing": [p.name for p in policies if p.notice],
        "warning": [p.name for p in policies if p.notice and p.notice.warns_all],
        "windowed": [p.name for p in policies if is_windowed(p)],
        "counted": [label_of(p) for p in policies if not p.capture.record_subjects],
        "names": [p.name for p in policies],
        "tables": [compiled(p).tables[0] for p in policies],
        "opened": [opened_at(p, now) for p in policies],
        "cap_rows": [p.cap_rows for p in policies],
        "cap_fractions": [float(p.cap_fraction) for p in policies],
    }


def _has_grace(policy: Policy) -> bool:
    return policy.disposition.hides and isinstance(policy.grace, timedelta) and bool(policy.grace)
