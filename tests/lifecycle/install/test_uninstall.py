"""The package leaves: by its command, or just taken away. The host's writes go on either way."""

import json
from typing import Any

import psycopg
import pytest

from tests.lifecycle.install.project import PROXY, Project, Refused

OVERDUE = "INSERT INTO shop_cart (paid, created_at) VALUES (false, now() - interval '31 days')"
FRESH = "INSERT INTO shop_cart (paid, created_at) VALUES (false, now())"
UNINSTALL = "lifecycle uninstall --yes --actor ada"


def writes(project: Project) -> None:
    """All that a host does to a table."""
    project.sql(FRESH)
    project.sql("UPDATE shop_cart SET paid = NOT paid")
    project.sql("DELETE FROM shop_cart WHERE id = (SELECT max(id) FROM shop_cart)")
    project.sql("TRUNCATE shop_cart")


def left(project: Project) -> dict[str, Any]:
    """What of the package is in the database."""
    return {
        "triggers": project.triggers("shop_cart"),
        "functions": project.sql(
            "SELECT count(*) FROM pg_proc WHERE proname LIKE 'pgtrigger_lc%' OR pronamespace"
            " = to_regnamespace('lifecycle')"
        ),
        "tables": project.sql(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r'"
            " AND (relname LIKE 'lifecycle_%' OR relname = 'purge_run')"
        ),
    }


@pytest.fixture
def site(project: Project) -> Project:
    """The package in use: an event, a tombstone, something due."""
    project.__init__(project.path, project.url)  # type: ignore[misc]
    for path in project.path.glob("*/migrations/0*.py"):
        path.unlink()
    project.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
                " DROP SCHEMA IF EXISTS lifecycle CASCADE;"
                " DROP SCHEMA IF EXISTS lifecycle_kept CASCADE")  # fmt: skip
    project.manage("makemigrations -v0", "migrate -v0")
    project.sql(OVERDUE)
    return project


@pytest.mark.slow
def test_the_command_and_the_way_back(site: Project) -> None:
    events = site.last()
    with pytest.raises(Refused, match="no terminal to ask"):
        site.manage("lifecycle uninstall")
    assert site.triggers("shop_cart") == 4, "nothing was changed"
    said = site.manage(UNINSTALL)
    assert "4 triggers on 1 tables" in said
    assert "lifecycle_event" in said
    assert "policies.py" in said, "what remains to do by hand"
    assert left(site) == {"triggers": 0, "functions": 0, "tables": 10}
    assert site.sql("SELECT actor FROM lifecycle_event ORDER BY id DESC LIMIT 1") == "ada"
    with pytest.raises(psycopg.Error, match="append-only"):
        site.sql("DELETE FROM lifecycle_event")
    writes(site)
    site.sql(OVERDUE)
    with pytest.raises(Refused, match="lifecycle install"):
        site.manage("purge")
    assert site.sql("SELECT count(*) FROM shop_cart") == 1, "nothing ends any more"
    site.manage("migrate -v0", "lifecycle install")
    assert site.triggers("shop_cart") == 4
    assert site.last() > events, "the same ledger"
    assert site.sql("SELECT state FROM lifecycle_policy") == "observe"
    site.manage("check --database default --fail-level WARNING")
    site.sql(FRESH)
    assert site.kinds()[-1] == "expiry_scheduled 1"


@pytest.mark.slow
def test_the_ledger_exported_and_dropped(site: Project) -> None:
    file = site.path / "ledger.jsonl"
    file.unlink(missing_ok=True)
    site.manage(f"{UNINSTALL} --export {file} --drop-ledger")
    assert left(site) == {"triggers": 0, "functions": 0, "tables": 0}
    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert [each["kind"] for each in told][:2] == ["policy_changed", "expiry_scheduled"]
    assert told[1]["subjects_bigint"] == [1]
    writes(site)
    assert "Nothing of the package" in site.manage(UNINSTALL)
    with pytest.raises(Refused, match="exists already"):
        site.manage(f"{UNINSTALL} --export {file}")


@pytest.mark.slow
def test_one_that_was_interrupted_goes_on(site: Project) -> None:
    """A table that stays busy: nothing ends, the next run does the rest."""
    with psycopg.connect(site.url) as long:
        long.execute(FRESH)
        patience = "from lifecycle.db import table_lock; table_lock.WAITS = (0.05,)"
        site.change("keep/policies.py", "\n\nend =", f"\n\n{patience}\nend =")
        with pytest.raises(Refused, match=r"shop_cart.*is locked by.*run it again"):
            site.manage(UNINSTALL)
        long.commit()
    assert left(site)["triggers"] == 4
    with pytest.raises(Refused, match="being uninstalled"):
        site.manage("purge")
    site.manage("migrate -v0")
    writes(site)
    site.manage(UNINSTALL)
    assert left(site)["functions"] == 0


@pytest.mark.slow
def test_the_history_without_triggers(site: Project) -> None:
    """What the how-to says, to its end: the package is not there any more."""
    site.manage(UNINSTALL)
    with pytest.raises(Refused, match="no terminal"):
        site.manage("lifecycle uninstall --migrations")
    said = site.manage("lifecycle uninstall --migrations --yes")
    assert "keep/migrations/0001_initial.py" in said
    text = (site.path / "keep/migrations/0001_initial.py").read_text()
    assert "lifecycle" not in text
    assert "pgtrigger" not in text
    assert "No migration file" in site.manage("lifecycle uninstall --migrations --yes")
    site.write("keep/models.py", "")
    (site.path / "keep/policies.py").unlink()
    site.install()
    site.manage("makemigrations -v0", "migrate -v0", "makemigrations --check")
    site.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    site.manage("migrate -v0")
    writes(site)


def test_taken_away_without_the_command(site: Project) -> None:
    """Out of the settings: the triggers record on. Then parts of it dropped by hand."""
    site.write("keep/models.py", PROXY)
    (site.path / "keep/policies.py").unlink()
    site.install("pgtrigger")
    before = site.last()
    writes(site)
    assert site.kinds(since=before)[0] == "expiry_scheduled 1"
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        site.sql("DROP TABLE lifecycle_event")
    site.sql("DROP TABLE lifecycle_event CASCADE")
    writes(site)
    site.sql("DROP TABLE lifecycle_exception, lifecycle_agenda, lifecycle_policy")
    writes(site)
    site.sql("DROP SCHEMA lifecycle CASCADE")
    writes(site)
    site.manage("makemigrations -v0", "migrate -v0")
    assert site.migrations("keep")[-1].startswith("0002_"), "the triggers' removal, by pgtrigger"
    assert site.triggers("shop_cart") == 0
    site.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    site.manage("migrate -v0")
    assert site.triggers("shop_cart") == 0
