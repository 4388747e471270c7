"""Whether the rows of an archive can be loaded as asked: refusals before anything is changed."""

from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DataError, ProgrammingError, transaction

from lifecycle.compiler.keys import key_of
from lifecycle.compiler.windows import counts_only
from lifecycle.db.routing import home
from lifecycle.db.version import require
from lifecycle.exceptions import LifecycleError
from lifecycle.management.databases import databases_of
from purge.archive.destinations import Destination
from purge.archive.loading import target as targets
from purge.archive.loading.load import Load, readable
from purge.archive.loading.stage import LoadBatch
from purge.archive.manifest import Manifest


def prepare(
    manifest: Manifest, where: Destination, filters: list[str], into: str | None = None,
    using: str | None = None, actor: str = "", dry: bool = False,
) -> Load:  # fmt: skip
    """A load that can be run; `LifecycleError` where the rows cannot go there as asked.

    `filters` are of the form `column=value`; `into` names a table that is not of the site.
    """
    readable(manifest)
    model = None if into else _model(manifest)
    using = _database(using, model)
    target = _into(manifest, into, using) if into else _own(manifest, model, using)
    load = Load(manifest, where, using, target, model, _parsed(filters, target), actor, dry)
    _refuse_filters(load)
    return load


def _database(using: str | None, model: Any) -> str:
    if using is None and model is None:
        return DEFAULT_DB_ALIAS
    found = databases_of(using)[0] if using else home(model)
    if model:
        require(found)
    return found


def _own(manifest: Manifest, model: Any, using: str) -> targets.Target:
    name = targets.quoted(model._meta.db_table)
    return targets.target(name, key_of(model).column, manifest, using)


def _into(manifest: Manifest, into: str, using: str) -> targets.Target:
    name = targets.quoted(*into.split(".", 1))
    own = [str(targets.quoted(each._meta.db_table)) for each in apps.get_models(True)]
    if targets.is_one_of(name, own, using):
        raise LifecycleError(f"{into} is a table of the site: load without --into, or elsewhere.")
    if not targets.is_there(name, using):
        return targets.new_target(name, manifest, using)
    if not targets.has_key(name, manifest.key, using):
        raise LifecycleError(
            f"{into} has no unique key on {manifest.key}: rows that are there would come twice."
        )
    return targets.target(name, manifest.key, manifest, using)


def _model(manifest: Manifest) -> Any:
    try:
        model: Any = apps.get_model(manifest.model)
    except (LookupError, ValueError) as error:
        raise LifecycleError(f"There is no model {manifest.model} here: load --into.") from error
    if counts_only(model):
        raise LifecycleError(
            f"The ledger must not name rows of {model._meta.label}, so they cannot be held:"
            " load --into another table."
        )
    if model._meta.parents:
        raise LifecycleError(f"{model._meta.label} has parts in other tables: load --into.")
    return model


def _parsed(filters: list[str], target: targets.Target) -> dict[str, str]:
    found: dict[str, str] = {}
    for given in filters:
        name, separator, value = given.partition("=")
        if not (name and separator):
            raise LifecycleError(f"{given!r} is no filter: write column=value.")
        if name not in target.columns:
            raise LifecycleError(f"There is no column {name!r}: {', '.join(target.columns)}.")
        if name in found:
            raise LifecycleError(f"{name} cannot have two values.")
        found[name] = value
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
