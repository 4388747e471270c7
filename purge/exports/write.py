"""What a person is given: JSON and files in a zip, with an index of what is in it."""

import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connections, transaction
from django.db.models import Model

from lifecycle.compiler.keys import key_text, label_of_model
from lifecycle.compiler.windows import counts_only
from lifecycle.db.connection import DENIED, fetch, sqlstate
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context, in_context
from lifecycle.ledger.row_names import ledger_key, model_of, named, row_name
from lifecycle.ledger.write import write
from lifecycle.logs import Log
from lifecycle.management.output import utc
from lifecycle.phrases import phrase
from purge.exports.collect import Found, collect, files_of, rows_of

OF_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
READ_ONLY = "SET TRANSACTION READ ONLY"
NO_NAME = r'[\x00-\x1f\x7f:*?"<>|]'  # not in a file's name, under some system

log = Log("purge")


class Encoder(DjangoJSONEncoder):
    """What JSON has no form for as its text; bytes as hexadecimal digits."""

    def default(self, value: Any) -> Any:
        """One value."""
        if isinstance(value, bytes | memoryview):
            return bytes(value).hex()
        if isinstance(value, datetime) and value.tzinfo:
            return utc(value)
        try:
            return super().default(value)
        except TypeError:
            return str(value)


def export(
    row: Model, path: Path, using: str, actor: str = "", include_files: bool = False,
    cause: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Write what the site has of the person of a row; returns the index of it.

    Every row of one moment. Files are listed, and with `include_files` put in. A file that is
    there already is refused; the new one is readable by its owner alone. Who has it, `actor` or
    that of `lifecycle.context` (so the `cause`), is an event before the file has its name.
    """
    actor = actor or in_context("actor", using)
    if not actor.strip():
        raise LifecycleError(phrase("Say who does this (actor)."))
    if path.exists():
        raise LifecycleError(f"{path} is there already.")
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
            _reading(using),
        ):
            index = _write(row, made, using, actor, include_files)
        _record(row, index, actor, cause or in_context("cause", using), using)
        half.replace(path)
    except OSError as error:
        raise LifecycleError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        half.unlink(missing_ok=True)
    count = sum(each["rows"] for each in index["models"].values())
    label = label_of_model(type(row))
    log("exported", f"{label}: {count} rows exported", model=label, count=count, database=using)
    return index


def _record(row: Model, index: dict[str, Any], actor: str, cause: str, using: str) -> None:
    """An event says who was given what of whom, in numbers; by its key where that may be named."""
    model: Any = type(row)._meta.concrete_model
    rows = sum(each["rows"] for each in index["models"].values())
    detail = {"rows": rows, "files": sum("in" in each for each in index["files"])}
    about: dict[str, Any] = {"model": label_of_model(model)}
    if not (model._meta.is_composite_pk or counts_only(model)):
        about |= {"key": ledger_key(model, key_text(model, row.pk), using), "of": model}
    try:
        with transaction.atomic(using=using), context(actor, cause, using):
            write("exported", using, **about, detail=detail)
    except DatabaseError as error:
        if sqlstate(error) != DENIED:
            raise
        raise LifecycleError(
            phrase("The role of %(using)s may not record that it exports.", using=repr(using))
        ) from error


@contextmanager
def _reading(using: str) -> Iterator[None]:
    """A transaction that can write nothing; of one moment, where it is not inside of another."""
    is_own = not connections[using].in_atomic_block
    with transaction.atomic(using=using):
        fetch(using, f"{OF_ONE_MOMENT}; {READ_ONLY}" if is_own else READ_ONLY)
        yield


def _write(
    row: Model, made: zipfile.ZipFile, using: str, actor: str, include_files: bool
) -> dict[str, Any]:
    index: dict[str, Any] = {
        "row": named(row), "made_at": datetime.now(UTC), "actor": actor, "models": {}, "files": [],
    }  # fmt: skip
    for found in collect(row, using):
        label = found.model._meta.label
        with made.open(f"rows/{label}.jsonl", "w", force_zip64=True) as lines:
            for each in rows_of(found, using):
                lines.write(json.dumps(each, cls=Encoder, ensure_ascii=False).encode() + b"\n")
                index["files"] += _files(found, each)
        stays = len(found.stays)
        index["models"][label] = {"rows": len(found.keys), "stay": stays}
    if include_files:
        for number, each in enumerate(index["files"]):
            _put(made, each, number)
    made.writestr("index.json", json.dumps(index, cls=Encoder, ensure_ascii=False, indent=2))
    return index


def _files(found: Found, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The files that a row names."""
    key = row[found.model._meta.pk.attname]
    return [
        {"row": row_name(found.model, key), "field": each.name, "name": str(row[each.attname])}
        for each in files_of(found)
        if row[each.attname]
    ]


def _put(made: zipfile.ZipFile, file: dict[str, Any], number: int) -> None:
    """Put one file in, under a name of its own; one that cannot be read is said to be missing."""
    label, _, _ = file["row"].partition(":")
    storage = model_of(label)._meta.get_field(file["field"]).storage  # type: ignore[union-attr]
    name = re.split(r"[/\\]", file["name"])[-1]  # whatever system the zip is unpacked under
    place = f"files/{number}-{re.sub(NO_NAME, '_', name)}"
    try:
        with storage.open(file["name"]) as stored, made.open(place, "w", force_zip64=True) as put:
            for chunk in stored.chunks():
                put.write(chunk)
    except Exception as error:
        file["missing"] = type(error).__name__
    else:
        file["in"] = place
