"""What an earlier state of the package wrote into its ledger is read by this one.

Each recording is text: events as they lay in the table, and the agenda and the exceptions that the
state of that time had made of them, with the states of the policies. RECORD_LEDGER=NAME writes
another one; none is ever written again. See docs/adr/0042.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from lifecycle.db.connection import fetch, statement
from purge.runner import run_due
from tests.clock import pass_time
from tests.lifecycle.ledger.test_rebuild import (
    change_rows,
    finish_things,
    run_with_a_locked_row,
    say_things,
    write_rows,
)

FOLDER = Path(__file__).parent
RECORDINGS = sorted(FOLDER.glob("*.json"))
PARTS = ("events", "agenda", "exceptions", "states")
STATEMENTS = str(FOLDER / "recorded.py")
USING = "default"


def asked(name: str) -> list[Any]:
    return [json.loads(each) for (each,) in fetch(USING, statement(STATEMENTS, name))]


def story() -> None:
    """Every kind of event that the fold knows, rows in every state at its end."""
    write_rows()
    for step in (run_with_a_locked_row, say_things, run_due, change_rows, run_due):
        step()
    finish_things()
    for _ in range(2):
        pass_time(hours=7)
        run_due()
    write_rows()
    say_things()


if "RECORD_LEDGER" in os.environ:

    @pytest.mark.django_db(transaction=True)
    def test_record() -> None:
        story()
        path = FOLDER / f"{os.environ['RECORD_LEDGER']}.json"
        assert not path.exists(), "a recording is never written again"
        parts = {name: ",\n".join(map(json.dumps, asked(name))) for name in PARTS}
        lists = [f'"{name}": [\n{rows}\n]' for name, rows in parts.items()]
        path.write_text("{\n" + ",\n".join(lists) + "\n}\n")


def put_back(recorded: dict[str, Any]) -> None:
    """The recorded events in the place of the ledger's own, which no guard lets anybody do."""
    fetch(USING, "SET LOCAL session_replication_role = replica")
    for table in ("lifecycle_event", "lifecycle_agenda", "lifecycle_exception"):
        fetch(USING, f"DELETE FROM {table}")
    events = [json.dumps(each) for each in recorded["events"]]
    fetch(USING, statement(STATEMENTS, "put_back"), {"events": events})
    fetch(USING, "SET LOCAL session_replication_role = origin")


def as_recorded(rows: list[Any], recorded: list[Any]) -> list[Any]:
    """Rows without columns that the recording does not know; it must not know others."""
    known = recorded[0].keys()
    assert all(known <= row.keys() for row in rows)
    return [{column: row[column] for column in known} for row in rows]


@pytest.mark.django_db
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_an_earlier_ledger_is_folded_to_the_same(path: Path) -> None:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    put_back(recorded)
    assert as_recorded(asked("events"), recorded["events"]) == recorded["events"]
    call_command("lifecycle", "rebuild")
    for part in ("agenda", "exceptions"):
        assert as_recorded(asked(part), recorded[part]) == recorded[part], part
    now, then = (
        {each["name"]: each["state"] for each in of} for of in (asked("states"), recorded["states"])
    )
    both = now.keys() & then.keys()  # policies come and go, their events stay
    assert len(both) > 10
    assert {name: now[name] for name in both} == {name: then[name] for name in both}


@pytest.mark.django_db
def test_another_fold_is_told() -> None:
    """The test of the test: without one of the events the agenda is another."""
    recorded = json.loads(RECORDINGS[0].read_text(encoding="utf-8"))
    listed = recorded["agenda"][0]["event_id"]
    recorded["events"] = [each for each in recorded["events"] if each["id"] != listed]
    put_back(recorded)
    call_command("lifecycle", "rebuild")
    assert as_recorded(asked("agenda"), recorded["agenda"]) != recorded["agenda"]


def test_the_recordings_have_every_kind_that_the_fold_reads() -> None:
    told = {
        event["kind"]
        for path in RECORDINGS
        for event in json.loads(path.read_text(encoding="utf-8"))["events"]
    }
    assert told >= {
        "expiry_scheduled", "tombstoned", "kept", "restored", "expired_by_hand", "hold_placed",
        "hold_released", "updated", "purged", "deleted", "blocked", "capture_failed", "resumed",
        "policy_changed", "settled",
    }  # fmt: skip
