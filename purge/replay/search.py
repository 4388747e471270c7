"""Find the rows that are there under keys that have ended, table by table.

Reads the ledger newest first, some 20,000 rows at a time, and stores only what it finds: a ledger
of rows that are all gone leaves nothing in memory nor in `purge_resurrected`.
"""

from collections import Counter
from functools import partial
from typing import Any

from django.db import DataError, transaction
from django.db.models import Model
from django.db.models.expressions import Combinable
from psycopg import sql

from lifecycle.compiler.keys import key_of, label_of
from lifecycle.compiler.policy_sql import assignments, compiled
from lifecycle.db.connection import ALL_ROWS, Placed, Raw, fetch, scalar, statement
from lifecycle.ledger.resurrected import CHANGED, TAKEN, ended_tables, search
from lifecycle.policy.capture_modes import Signals
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, policies_of
from purge.batch.subjects import without_loops
from purge.replay.model import Ending, Recovered, Replay

ROWS = 20_000  # of the ledger in one statement
NEWEST = 2**63 - 1
WRITTEN = "kind IN ('expiry_scheduled', 'capture_failed') AND NOT detail ? 'relisted'"
SPARED = "kind IN ('loaded', 'restored')"
ENDED = "kind IN ('deleted', 'purged')"


def find(replay: Replay) -> dict[Ending, int]:
    """Store every row that came back; returns how many others have ended, by ending."""
    models = set()
    for model, names in ended_tables(replay.using, TAKEN):
        if policies_of(model) and is_at(model, replay.using):
            models.add(model)
            _search(replay, model, names)
    for model, names in ended_tables(replay.using, CHANGED):
        for policy in policies_of(model) if is_at(model, replay.using) else ():
            if compiled(policy).update_sql:
                models.add(model)
                _search(replay, model, names, policy)
    for model in models:
        _mark(replay, model)
        if replay.recovered:
            _prove(replay, model, replay.recovered)
    replay.undeclared = {} if replay.policy else _undeclared(replay)
    return _absent(replay)


def _undeclared(replay: Replay) -> dict[str, int]:
    """Of tables on which no policy stands any more, how many rows may be such that had ended."""
    found = Counter[str]()
    for model, names in ended_tables(replay.using, TAKEN):
        if not policies_of(model) and is_at(model, replay.using):
            label = model._meta.label_lower
            rows = search(model, names, statement(__file__, "of_table", kinds=Raw(TAKEN)))
            params = {"model": label, "names": names, "since": replay.since}
            text = statement(__file__, "count_back", search=Placed(rows))
            with transaction.atomic(using=replay.using):
                found[label] += scalar(replay.using, text, params)
    return {label: rows for label, rows in found.items() if rows}


def _search(replay: Replay, model: Any, names: str, policy: Policy | None = None) -> None:
    """One table; with a policy, the rows that it has updated and that are as before the update."""
    kinds = CHANGED if policy else TAKEN
    names_of = [old for old, new in replay.names.items() if policy and new == policy.name]
    params = {
        "run": replay.run.pk, "model": model._meta.label_lower, "names": names, "rows": ROWS,
        "since": replay.since, "policies": replay.wanted, "updates": policy.name if policy else "",
    }  # fmt: skip
    if policy:
        wanted = set(replay.wanted or names_of)
        params["policies"] = [name for name in names_of if name in wanted]
    chunk = statement(__file__, "chunk", kinds=Raw(kinds))
    asked = partial(search, model, names, "event.id = ANY (%(events)s)", _as_before(policy))
    below = NEWEST
    while True:
        events, lowest, rows = fetch(replay.using, chunk, params | {"below": below})[0]
        if events is None:
            return
        try:
            _store(replay, asked(), params | {"events": events})
        except DataError:  # a column that was altered by hand: the rows are listed, and said why
            _store(replay, asked(readable=False), params | {"events": events})
        below = lowest
        replay.progress(rows)


def _store(replay: Replay, found: str, params: dict[str, Any]) -> None:
    text = statement(__file__, "find", search=Placed(found))
    with transaction.atomic(using=replay.using):
        fetch(replay.using, ALL_ROWS)  # a row that is hidden may be one that came back
        fetch(replay.using, text, params)


def _as_before(policy: Policy | None) -> str:
    """SQL: whether a row is as it was before its update."""
    if policy is None:
        return "true"
    code = compiled(policy)
    column = Placed(_column(policy.model))
    matches = f"EXISTS (SELECT FROM ({code.state_sql}) AS lc_s WHERE lc_s.key = {column} AND lc_s.matches)"  # noqa: E501
    constant = {n: v for n, v in policy.disposition.values.items() if not isinstance(v, Combinable)}  # type: ignore[attr-defined]
    differ = [f"{a} IS DISTINCT FROM ({b})" for a, b in assignments(policy, constant)]
    # Columns set to constants are enough. An erasure's `when` would match for ever.
    tells = len(constant) == len(policy.disposition.values) or (policy.on_request and differ)  # type: ignore[attr-defined]
    return f"({' OR '.join(differ if tells else [*differ, matches])})"


def _column(model: type[Model]) -> str:
    table = model._meta.concrete_model._meta.db_table  # type: ignore[union-attr]
    return sql.Identifier(table, key_of(model).column).as_string()


def keys_of_owner(kind: str) -> Placed:
    """SQL: the keys of an event that the statement calls `owner`, of the ledger's type for them."""
    text = statement(__file__, "keys_of_owner", kind=Raw(kind), subjects=f"subjects_{kind}")
    return Placed(text)


def _mark(replay: Replay, model: Any) -> None:
    """Store the later events of the rows that were found, as far as they decide."""
    key = key_of(model)
    params = {"run": replay.run.pk, "model": model._meta.label_lower}
    counts = fetch(replay.using, statement(__file__, "counts"), params)[0]
    for condition, wanted in zip((SPARED, ENDED, WRITTEN), counts, strict=True):
        if wanted:
            parts = {"condition": Raw(condition), "keys_of_owner": keys_of_owner(key.kind)}
            text = statement(__file__, "mark", **parts)
            with transaction.atomic(using=replay.using), without_loops(replay.using):
                fetch(replay.using, text, params)


def _prove(replay: Replay, model: Any, recovered: Recovered) -> None:
    """Of what was found, tell rows that the backup has brought back by what the ledger has of them.

    Under `Signals()`, which do not see every row that goes, the ledger alone tells nothing.
    """
    seen = not any(isinstance(policy.capture, Signals) for policy in policies_of(model))
    params = {"run": replay.run.pk, "model": model._meta.label_lower, "seen": seen}
    text = statement(__file__, "prove", keys_of_owner=keys_of_owner(key_of(model).kind))
    with transaction.atomic(using=replay.using), without_loops(replay.using):
        fetch(replay.using, text, params | vars(recovered))


def _absent(replay: Replay) -> dict[Ending, int]:
    params = {"since": replay.since, "policies": replay.wanted, "run": replay.run.pk}
    found = fetch(replay.using, statement(__file__, "absent"), params)
    known = {label_of(policy) for policy in all_policies()}
    return {Ending(*row[:3]): row[3] for row in found if row[0] in known}
