"""The second step: what is missing goes back into the ledger, under its own numbers and salts.

A bundle of the store is a transaction: its events are put in, read back as entries, compared with
the signed tree, and sealed under their old indexes. So the log's size says how far it has come.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import key_of, label_of
from lifecycle.db.connection import fetch, own_transaction, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.registry import all_policies
from lifecycle.proof.leaf import Record, told
from lifecycle.proof.tree import hash_leaf, split
from lifecycle.sealing import gaps
from lifecycle.sealing.entries import read_entries
from lifecycle.sealing.seal import Leaves, append
from purge.proof.bundle import Line
from purge.proof.options import ProofOptions
from purge.recovery.keys import highest_keys, kind_of
from purge.recovery.lines import lines_from
from purge.recovery.stages import lock_log
from purge.recovery.survey import Survey

Tell = Callable[[int], None]


def take(using: str, options: ProofOptions, found: Survey, tell: Tell) -> None:
    """Put back every event that is missing; `tell` is called with how many more are done.

    Raises `LifecycleError` where the store does not have them, and where one would not be again
    what it was: then its bundle is left out, as are all after it.
    """
    models = {label_of(policy): policy.model for policy in all_policies()}
    for lines in lines_from(options, found, found.common):
        _take(using, found, lines, models)
        tell(len(lines))


def _take(using: str, found: Survey, lines: list[Line], models: dict[str, type[Model]]) -> None:
    with own_transaction(using):
        _put_back(using, found, lines, models)


def _put_back(using: str, found: Survey, lines: list[Line], models: dict[str, type[Model]]) -> None:
    log = lock_log(using)
    if log.size != lines[0].leaf_index:
        raise LifecycleError(f"{log.origin} has {log.size} events: somebody else has sealed some.")
    kinds = {label: key_of(model).kind for label, model in models.items()}
    records = [(line.record, kind_of(line.record, kinds)) for line in lines]
    said = [told(record) | {"keys": kind} for record, kind in records]
    fetch(using, statement(__file__, "put_back"), {"records": Jsonb(said)})
    salts = {line.number: line.salt for line in lines}
    made = read_entries(using, salts)
    hashes = found.leaves_of(lines[0].leaf_index, lines[-1].leaf_index + 1)
    for line, leaf in zip(lines, split(hashes), strict=True):
        if hash_leaf(made.get(line.number, b"")) != leaf:
            raise LifecycleError(f"Event {line.number} cannot be put back as it was published.")
    known = [gap.without(salts) for gap in gaps.from_json(log.gaps)]
    leaves = Leaves(list(salts), hashes, b"".join(salts.values()))
    append(using, log, leaves, gaps.merged(known))
    _advance(using, records, models)


def _advance(using: str, records: list[tuple[Record, str]], models: dict[str, type[Model]]) -> None:
    """No new row gets a key, and no new run a number, that the ledger knows of."""
    for label, highest in highest_keys(records).items():
        if label in models:
            params = _sequence_of(models[label]) | {"highest": highest}
            fetch(using, statement(__file__, "advance_keys"), params)
    runs = [int(record.run) for record, _ in records if record.run]
    if runs:
        params = {"table": "purge_run", "column": "id", "highest": max(runs)}
        fetch(using, statement(__file__, "advance_keys"), params)


def _sequence_of(model: type[Model]) -> dict[str, Any]:
    """Table and column that give a model its keys: of inheritance, those of its first parent."""
    key = model._meta.pk
    while key.remote_field is not None:
        model = key.remote_field.model
        key = model._meta.pk
    return {"table": _quoted(model._meta.db_table), "column": key.column}


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""') + '"'
