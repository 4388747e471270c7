"""Backups of the test's database by real tools, and the site as it is after one was restored."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection, connections

from lifecycle.embedded.location import binaries
from lifecycle.embedded.location import place as place_of
from purge.proof import gate, place
from tests.purge.worker.consumer import PARTS, address


@dataclass
class Backups:
    """Makes backups, and restores one in the place of the site's database."""

    folder: Path
    made: list[str] = field(default_factory=list)

    def template(self) -> Callable[[], None]:
        """A copy by `CREATE DATABASE .. TEMPLATE`; what it gives restores it."""
        name = self._new()
        administer(f'CREATE DATABASE "{name}" TEMPLATE "{here()}"')
        return lambda: switch(name)

    def dump(self) -> Callable[[], None]:
        """A dump by `pg_dump -Fc`; what it gives restores it by `pg_restore`."""
        file = self.folder / f"dump-{len(self.made)}"
        run("pg_dump", "-Fc", "-f", str(file), url(here()))
        return lambda: self.load(file)

    def load(self, file: Path) -> None:
        name = self._new()
        administer(f'CREATE DATABASE "{name}" TEMPLATE template0')
        run("pg_restore", "--exit-on-error", "-d", url(name), str(file))
        switch(name)

    def _new(self) -> str:
        self.made.append(f"{here()[:40]}_r{len(self.made)}")
        return self.made[-1]


@contextmanager
def backups(folder: Path) -> Iterator[Backups]:
    """The test's own database is the site's again afterwards; the others are dropped."""
    own, found = here(), Backups(folder)
    try:
        yield found
    finally:
        switch(own)
        for name in found.made:
            administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def here() -> str:
    return str(connection.settings_dict["NAME"])


def switch(name: str) -> None:
    """As a site does that is started anew with another database."""
    connections.close_all()
    connection.settings_dict["NAME"] = name
    gate.forget("default")
    place._heard.clear()


def administer(sql: str) -> None:
    """Run a statement from another database than the site's, where nobody uses that."""
    connections.close_all()
    known = connection.settings_dict
    where = {name: known[part] for part, name in PARTS.items() if known.get(part)}
    with psycopg.connect(**(where | {"dbname": "postgres"}), autocommit=True) as session:
        session.execute(sql)


def run(program: str, *arguments: str) -> None:
    """One of the server's own tools."""
    if settings.EMBEDDED_DATABASE:
        program = str(binaries(place_of(settings.EMBEDDED_DATABASE)) / program)
    subprocess.run([program, *arguments], check=True, capture_output=True)


def url(name: str) -> str:
    """The address of a database of the site's server."""
    return address(dbname=name)
