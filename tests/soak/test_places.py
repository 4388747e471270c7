"""What the pages about places say, where trying it takes a server or a project of its own."""

from typing import Any

import psycopg
import pytest
from django.conf import settings

from lifecycle.embedded import ensure
from lifecycle.embedded.location import PORT, USER, place
from tests.infra.servers import data_folder, until
from tests.places.test_guides import PURGED, Project, ask, carts, databases, project, router

__all__ = ["databases", "project"]


@pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="a server of its own is made")
def test_logical_replication_fires_no_statement_trigger() -> None:
    with data_folder() as path:
        ensure(path, fsync="off", wal_level="logical")
        socket = str(place(path) / "socket")

        def run(database: str, *statements: str) -> Any:
            where = {"host": socket, "port": PORT, "user": USER, "dbname": database}
            with psycopg.connect(**where, autocommit=True) as session:
                for statement in statements:
                    cursor = session.execute(statement)
                return cursor.fetchone()[0] if cursor.description else None

        run("postgres", "CREATE DATABASE publisher", "CREATE DATABASE subscriber")
        run("postgres", "CREATE ROLE copies LOGIN SUPERUSER PASSWORD 'copies'")
        table = "CREATE TABLE note (id int PRIMARY KEY)"
        run("publisher", table, "CREATE PUBLICATION notes FOR TABLE note")
        run("publisher", "SELECT pg_create_logical_replication_slot('notes', 'pgoutput')")
        source = f"host={socket} port={PORT} user=copies password=copies dbname=publisher"
        run(
            "subscriber", table, "CREATE TABLE seen (n bigint)",
            "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN INSERT INTO seen SELECT count(*) FROM fresh; RETURN NULL; END'",
            "CREATE TRIGGER see AFTER INSERT ON note REFERENCING NEW TABLE AS fresh"
            " FOR EACH STATEMENT EXECUTE FUNCTION see()",
            "ALTER TABLE note ENABLE ALWAYS TRIGGER see",
            f"CREATE SUBSCRIPTION notes CONNECTION '{source}' PUBLICATION notes"
            " WITH (create_slot = false, copy_data = false)",
        )  # fmt: skip
        run("publisher", "INSERT INTO note VALUES (1)")
        until(lambda: run("subscriber", "SELECT count(*) FROM note") == 1, 30)
        assert run("subscriber", "SELECT count(*) FROM seen") == 0
        run("subscriber", "INSERT INTO note VALUES (2)")
        assert run("subscriber", "SELECT count(*) FROM seen") == 1
        run("subscriber", "ALTER SUBSCRIPTION notes DISABLE")


def test_the_default_database_may_be_another_kind(project: Project, databases: list[str]) -> None:
    sqlite = "{'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db.sqlite3'}"
    project.use(second=databases[1])
    project.append("mysite/settings.py", f"DATABASES['default'] = {sqlite}\n")
    carts(project, "archive")
    project.append("mysite/settings.py", "HUEY = queue(database='second')\n")
    project.append("mysite/settings.py", "DATABASE_ROUTERS = ['mysite.routers.Router']\n")
    only_there = router().replace("            return True", '            return db == "second"')
    project.write("mysite/routers.py", only_there)
    project.manage("makemigrations archive", "migrate -v0", "migrate -v0 --database second")
    ask(databases[1], "INSERT INTO archive_cart (expires_at) VALUES (now())")
    project.manage("purge")
    assert ask(databases[1], PURGED) == [("archive-carts", 1)]
