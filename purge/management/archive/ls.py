"""`manage.py archive ls`: which archives there are."""

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error
from rich.table import Table

from lifecycle.management.arguments import add_json, add_policy
from lifecycle.management.databases import databases_of
from lifecycle.management.output import console_of, print_table, utc, write_json
from lifecycle.printable import visible
from purge.archive.catalog import catalog, prefixes
from purge.archive.destinations import destination
from purge.archive.manifest import Manifest
from purge.archive.records import Lost, lost

HELP = "List the archives, as their manifests describe them."
DATABASE = "whose ledger says which are lost; default: each that has one"


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy(parser, "only those of this policy")
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print them, the oldest first."""
    where = destination()
    listed = catalog(where, prefixes(options["prefix"]))
    wanted = options["policy"]
    shown = [each for each in listed.archives if wanted in (None, each.policy)]
    gone = [each for each in _gone(command, options) if wanted in (None, each.policy)]
    if options["json"]:
        found = [_data(each) | {"destination": where.title} for each in shown]
        write_json(command, found + [_lost(each) for each in gone])
        gone = []
    elif not shown:
        command.stdout.write(f"No archives in {where.title}.")
    else:
        _print(command, shown, where.title)
    for each in gone:
        command.stdout.write(visible(f"{each.archive} {each.says}: {each.reason}"))
    for name, why in listed.broken.items():
        command.stderr.write(visible(f"{name}: {why}"))


def _gone(command: BaseCommand, options: dict[str, Any]) -> list[Lost]:
    """Those that are declared lost. What is there is listed also while no database answers."""
    try:
        return [each for each, _ in lost(databases_of(options["database"]))]
    except Error:
        command.stderr.write("Which are declared lost is not known: no ledger can be read.")
        return []


def _print(command: BaseCommand, shown: list[Manifest], title: str) -> None:
    wide, narrow = (_table(shown, title, with_made) for with_made in (True, False))
    print_table(console_of(command), wide, narrow)


def _table(shown: list[Manifest], title: str, with_made: bool) -> Table:
    table = Table(title=f"Archives in {title}", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("name")
    for column in ("policy", "from", "to", *(("made",) if with_made else ())):
        table.add_column(column)
    for column in ("rows", "size"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in shown:
        days = (day(each.first.get("time")), day(each.last.get("time")))
        made = (day(each.made),) if with_made else ()
        table.add_row(each.name, each.policy, *days, *made, f"{each.rows:,}", size(each.bytes))
    return table


def _data(each: Manifest) -> dict[str, Any]:
    """A manifest, whose times are as PostgreSQL wrote them, with those of all JSON here."""
    found: dict[str, Any] = json.loads(each.as_json())
    for end in ("first", "last"):
        found[end]["time"] = _utc(found[end].get("time"))
    return found | {"made": _utc(each.made)}


def _lost(each: Lost) -> dict[str, Any]:
    """One that is not there any more, as somebody has declared."""
    said = {"event": each.event, "actor": each.actor, "at": utc(each.at), "reason": each.reason}
    return {"name": each.archive, "policy": each.policy, "model": each.model, "lost": said}


def _utc(time: str | None) -> str | None:
    """Of a column without a zone, as it is, with a T; what Python cannot read, as it is."""
    try:
        moment = datetime.fromisoformat(time or "")
    except ValueError:
        return time
    return utc(moment) if moment.tzinfo else moment.isoformat()


def day(time: str | None) -> str:
    """The day of a time, of UTC."""
    return (time or "")[:10]


def size(count: float) -> str:
    """Bytes as people read them."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        del units[0]
    precise = units[0] != "B" and count < 100
    return f"{count:.1f} {units[0]}" if precise else f"{count:.0f} {units[0]}"
