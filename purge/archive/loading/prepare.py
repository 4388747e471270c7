"""Whether the rows of an archive can be loaded as asked: refusals before anything is changed."""

from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DataError, ProgrammingError, transaction

from lifecycle.compiler.keys import key_of
from lifecycle.compiler.windows import counts_only
from lifecycle.db.version import require
from lifecycle.exceptions import LifecycleError
from lifecycle.management.databases import databases_of
from lifecycle.management.targets import pairs
from purge.archive.destinations import Destination
from purge.archive.loading import target as targets
from purge.archive.loading.load import Load, readable
from purge.archive.loading.stage import LoadBatch
from purge.archive.manifest import Manifest
from purge.archive.records import Record, Unknown, known, records


def prepare(
    manifest: Manifest, where: Destination, filters: list[str], into: str | None = None,
    using: str | None = None, actor: str = "", dry: bool = False, untrusted: bool = False,
) -> Load:  # fmt: skip
    """A load that can be run; `LifecycleError` where the rows cannot go there as asked.

    `filters` are of the form `column=value`; `into` names a table that is not of the site. What the
    ledger does not know as it is, is refused; with `untrusted` it may go into a table that such a
    load has made, and nowhere else. Model and table are the ledger's word, never the manifest's.
    """
    if untrusted and not into:
        raise LifecycleError("--untrusted needs --into: a table that nothing of the site reads.")
    record = None if untrusted else _record(manifest, None if into else using)
    readable(manifest, untrusted)
    model = _model(record.model) if record and not into else None
    using = (record.using if record and not into else using) or DEFAULT_DB_ALIAS
    databases_of(using)
    if model:
        require(using)
    target = _into(manifest, into, using, untrusted) if into else _own(manifest, model, using)
    parsed = _parsed(filters, target)
    load = Load(manifest, where, using, target, model, parsed, actor, dry, untrusted)
    _refuse_filters(load)
    return load


def _record(manifest: Manifest, using: str | None) -> Record:
    """The archive as a ledger knows it; one of which no row has gone is not to be brought back."""
    own = records(databases_of(using), [manifest.name]).get(manifest.name, [])
    try:
        return known(manifest, [record for record in own if record.has_ended])
    except Unknown as error:
        rewritten = any(each.replaced for each in own)
        look = "" if rewritten else " To look at the rows: --untrusted --into TABLE."
        raise LifecycleError(
            f"The manifest of {manifest.name} {error}. Nothing was loaded.{look}"
        ) from error


def _own(manifest: Manifest, model: Any, using: str) -> targets.Target:
    name = targets.quoted(model._meta.db_table)
    return targets.target(name, key_of(model).column, manifest, using)


def _into(manifest: Manifest, into: str, using: str, untrusted: bool) -> targets.Target:
    name = targets.quoted(*into.split(".", 1))
    own = [str(targets.quoted(each._meta.db_table)) for each in apps.get_models(True)]
    if targets.is_one_of(name, own, using):
        raise LifecycleError(f"{into} is a table of the site: load without --into, or elsewhere.")
    if not targets.is_there(name, using):
        return targets.new_target(name, manifest, using)
    if untrusted and not targets.is_made_here(name, using):
        raise LifecycleError(
            f"{into} was not made by this command: name a table that is not there."
        )
    if not targets.has_key(name, manifest.key, using):
        raise LifecycleError(
            f"{into} has no unique key on {manifest.key}: rows that are there would come twice."
        )
    return targets.target(name, manifest.key, manifest, using)


def _model(label: str) -> Any:
    try:
        model: Any = apps.get_model(label)
    except (LookupError, ValueError) as error:
        raise LifecycleError(f"There is no model {label} here: load --into.") from error
    if counts_only(model):
        raise LifecycleError(
            f"The ledger must not name rows of {model._meta.label}, so they cannot be held:"
            " load --into another table."
        )
    if model._meta.parents:
        raise LifecycleError(f"{model._meta.label} has parts in other tables: load --into.")
    return model


def _parsed(filters: list[str], target: targets.Target) -> dict[str, str]:
    found = pairs(filters)
    for name in found:
        if name not in target.columns:
            raise LifecycleError(f"There is no column {name!r}: {', '.join(target.columns)}.")
    return found


def _refuse_filters(load: Load) -> None:
    """Try each filter on no rows: its value may not be one of its column's type."""
    for name, value in load.filters.items():
        try:
            with transaction.atomic(using=load.using):
                batch = LoadBatch(load.using, load.target, load.model)
                batch.begin([])
                batch.keep_matching({name: value})
                transaction.set_rollback(True, using=load.using)
        except (DataError, ProgrammingError) as error:
            raise LifecycleError(f"{value!r} is no value to find in {name}.") from error
