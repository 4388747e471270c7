"""Which names may be deleted, and which receivers add.

Not those of a bad form, not those that live rows reference, not those that the site took away from
tables whose policies only observe. Where rows cannot be read, nobody knows what they reference.
"""

import os
import posixpath
import re
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import ProgrammingError, connections, router, transaction
from django.db.models import FileField, Model, QuerySet

from lifecycle.conf import conf
from lifecycle.db.connection import ALL_ROWS, DENIED, fetch, hides_rows, sqlstate
from lifecycle.db.tables import table_of, tables_in
from lifecycle.exceptions import LifecycleError
from lifecycle.models import PolicyState
from lifecycle.policy.databases import served
from lifecycle.policy.media_fields import ended_by, tracked
from lifecycle.policy.registry import all_policies
from lifecycle.signals import media_manifest
from purge.media.stores import store_of
from purge.media.stores.base import Store
from purge.models import Archive, IcebergTable

BAD = "BadName"
LONGEST, KEY = 4096, 1024  # characters of a path, bytes of a key
PROTECTED = "ArchivePrefix"
UNSENT = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # which XML cannot hold


class Unreadable(LifecycleError):
    """Rows that may reference files cannot all be read: `code` says why, the text where."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def refused(store: Store, names: Iterable[str]) -> dict[str, str]:
    """The names that must not be deleted, whatever rows say, each with a code why."""
    archives = archive_prefixes(store.root[0])
    return {name: why for name in names if (why := _why_not(store, name, archives))}


def _why_not(store: Store, name: str, archives: list[str]) -> str:
    """The code of a name that must not be deleted; '' for one that may be.

    A name is a path below the storage's location, in its plain form: not empty, not absolute, no
    `..`, no `.`, nothing twice; and it never reaches an archive.
    """
    plain = posixpath.normpath(name)  # of nothing: "."
    if name != plain or name in (".", "..") or name.startswith(("/", "../")) or "\0" in name:
        return BAD
    if len(name) > LONGEST or (store.root[0] == "bucket" and len(store.path(name).encode()) > KEY):
        return BAD  # no system and no store has such a name, and some refuse all for one
    if "\\" in name and store.root[0] != "other":
        return BAD  # the storage reads it as a slash
    if store.root[0] == "bucket" and UNSENT.search(name):
        return BAD  # one of them makes a store refuse the whole request
    return PROTECTED if store.path(name).startswith(tuple(archives)) else ""


def archive_prefixes(kind: str) -> list[str]:
    """Where archives are: below which keys of a bucket, or below which folder.

    Those that policies declare, and those that were made, for policies that are gone too.
    """
    if kind == "folder":
        folder = conf.ARCHIVE_DIR
        return [os.path.join(os.path.realpath(folder), "")] if folder else []
    if kind != "bucket":
        return []
    found = {getattr(policy.disposition, "prefix", "") for policy in all_policies()}
    for using in served():
        found |= set(Archive.objects.using(using).values_list("prefix", flat=True).distinct())
        found |= set(IcebergTable.objects.using(using).values_list("folder", flat=True))
    return sorted(found - {""})


def derived(field: FileField, names: Iterable[str]) -> set[str]:
    """Further names that receivers of `media_manifest` know of: thumbnails, other sizes.

    Raises what a receiver raises: without its names something would be left behind.
    """
    model: Any = field.model
    found: set[str] = set()
    for _, more in media_manifest.send(model, field=field.name, names=sorted(names)):
        found |= set(more or ())
    return found


def observed_tables(using: str) -> set[str]:
    """The labels of models that are only under policies which may not act yet.

    Of these no file goes that the site itself took away. `track_media` says that files are to go,
    whatever the policies of the table are.
    """
    states = PolicyState.objects.using(using).filter(state=PolicyState.State.OBSERVE)
    observing, acting = set[Any](), {each.model._meta.concrete_model for each in tracked()}
    names = set(states.values_list("name", flat=True))
    for policy in all_policies() if names else ():
        (observing if policy.name in names else acting).update(ended_by(policy))
    return {model._meta.label_lower for model in observing - acting}


def referenced_names(store: Store, names: Iterable[str]) -> set[str]:
    """The names whose objects some live row of the site shows, in any spelling and any database.

    One statement for each file field whose storage may have these objects. What transactions have
    written that are still open is not seen. `Unreadable` where row level security would hide rows
    from this role, or it may not read them.
    """
    paths = {store.path(name): name for name in names}
    found: set[str] = set()
    for using in connections:
        fields = _fields_at(store, using)
        tables = _existing(using, {table_of(field.model) for field, _ in fields})
        for field, other in fields:
            if table_of(field.model) in tables:
                own = {each: name for path, name in paths.items() for each in other.names_of(path)}
                shown = _shown(field, own, using)
                found |= {own[each] for each in shown if each in own}  # citext finds others too
    return found


def _fields_at(store: Store, using: str) -> list[tuple[FileField, Store]]:
    """The file fields that may hold objects of a store, of models that may be in a database."""
    models = apps.get_models(include_auto_created=True)
    found = [
        (field, store_of(field.storage))
        for model in models
        if not model._meta.proxy and _may_be_in(model, using)
        for field in model._meta.local_concrete_fields
        if isinstance(field, FileField)
    ]
    return [(field, other) for field, other in found if other.root == store.root]


def _may_be_in(model: type[Model], using: str) -> bool:
    """Also where this site reads or writes a table that it never migrates."""
    reads = using in (router.db_for_read(model), router.db_for_write(model))
    return reads or router.allow_migrate_model(using, model)


def _existing(using: str, tables: set[str]) -> set[str]:
    """The tables that exist, as PostgreSQL reads their names: `db_table` may have a schema in it,
    or more letters than PostgreSQL takes."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return tables & tables_in(using) if tables else set()
    quoted = {connection.ops.quote_name(table): table for table in tables}
    text = "SELECT name FROM unnest(%(names)s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
    found = fetch(using, text, {"names": list(quoted)}) if quoted else []
    return {quoted[name] for (name,) in found}


def _shown(field: FileField, names: Iterable[Any], using: str) -> list[str]:
    model: type[Model] = field.model
    # Not the model's own managers, which may hide rows.
    rows: QuerySet[Any] = QuerySet(model, using=using).filter(**{f"{field.name}__in": list(names)})
    try:
        with transaction.atomic(using=using):  # a savepoint: what was decided before stays
            if connections[using].vendor == "postgresql":
                fetch(using, ALL_ROWS)
            return list(rows.order_by().values_list(field.name, flat=True).distinct())
    except ProgrammingError as error:
        if sqlstate(error) != DENIED:
            raise
        code = "row_security" if hides_rows(error) else "permission"
        raise Unreadable(code, f"{table_of(model)}: {str(error).splitlines()[0]}") from error
