"""A person, tokens that are about her and others, and archives that have them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

import purge
from lifecycle.models import Event
from purge.archive.formats import FORMATS
from purge.archive.loading.load import readable
from purge.archive.manifest import read
from purge.runner import run_due
from tests.purge.archive.engine import archiving, tokens
from tests.zoo.models import Person, Token

ALL = ("jsonl", "json", "txt", "parquet")


@contextmanager
def archived(
    folder: Path | None,
    settings: Any,
    rows: int = 6,
    formats: tuple[str, ...] = ("jsonl", "txt"),
    **options: Any,
) -> Iterator[tuple[Person, Person]]:  # fmt: skip
    """Two persons, whose tokens, one after the other, are in one archive, gone from the table."""
    if folder is not None:
        settings.LIFECYCLE_ARCHIVE_DIR = str(folder)
    her, other = (Person.objects.create(name=name) for name in ("anna", "bert"))
    told = {"erased_with": {"label": "zoo.Person"}, "formats": formats} | options
    with archiving("tokens", **told):
        archive(her, other, rows)
        yield her, other


def archive(her: Person, other: Person, rows: int = 6) -> None:
    """Put tokens into a further archive."""
    for number, token in enumerate(tokens(rows)):
        Token.objects.filter(pk=token.pk).update(label=str((her, other)[number % 2].pk))
    run_due()
    assert not Token.objects.exists()


def labels(folder: Path) -> list[str]:
    """The label of each row that a reader of the folder finds, in the first format that is read."""
    found = [read(path.read_bytes()) for path in sorted(folder.rglob("*.manifest.json"))]
    rows: list[str] = []
    for manifest in found:
        place = [column.name for column in manifest.columns].index("label")
        for file in readable(manifest):
            with (folder / file.name).open("rb") as body:
                read_from = FORMATS[file.format].reader(manifest.columns, body)
                rows += [str(row[place]) for row in read_from]
    return sorted(rows)


def files(folder: Path) -> list[str]:
    """The names of the files that are there."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def said(step: str = "") -> list[dict[str, Any]]:
    """What the ledger says of archives that lost rows."""
    events = Event.objects.filter(kind="archive_erased").order_by("pk")
    return [e.detail for e in events if step in ("", e.detail["step"])]


def steps() -> list[str]:
    """The steps that the ledger tells of."""
    return [str(each["step"]) for each in said()]


def erase(person: Person, reference: str = "r1") -> None:
    """End the person's row now."""
    purge.erase(person, reference=reference, actor="jo", grace=timedelta(0))


def verified() -> list[str]:
    """The problems that `archive verify --all` tells."""
    out = StringIO()
    try:
        call_command("archive", "verify", "--all", "--json", "--prefix", "old/", stdout=out)
    except CommandError:
        assert json.loads(out.getvalue())["problems"]
    return [f"{each['name']} {each['why']}" for each in json.loads(out.getvalue())["problems"]]
