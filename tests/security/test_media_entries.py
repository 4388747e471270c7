"""An event of media that cannot be read is parked and named; the files of the others go."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from lifecycle.db.connection import fetch
from lifecycle.ledger.policy_states import rebuild
from lifecycle.models import AgendaEntry, Event
from purge.media import replay
from purge.media.batch import EARLIEST
from purge.media.run import run_media
from tests.clock import pass_time
from tests.purge.media.support import folder, orphaned, stored, told
from tests.support import database_now

pytestmark = pytest.mark.django_db

NAMES: list[Any] = [
    None,
    1,
    "a",
    {},
    {"a": "b"},
    [1],
    [None],
    [["a"]],
    [{}],
    ["a", 1],
    ["a"] * 1001,
]
GOOD = {"field": "file", "names": ["a"]}
DETAILS = [
    {"names": ["a"]},
    *({"field": "file", "names": names} for names in NAMES),
    *({"field": field, "names": ["a"]} for field in (None, "")),
    *(
        GOOD | {"since": since}
        for since in ("x", "2026-13-45", "infinity", "9999-12-31T23:59:59+00:00", 7, {}, [],
                      "0001-01-01T00:00:00+00:00", "2026-01-01T00:00:00")
    ),
]  # fmt: skip


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Any:
    with folder(tmp_path):
        yield tmp_path


def plant(
    detail: Any, model: str = "demo.servicemedia", kind: str = "media_orphaned",
    detail_of: Callable[[str], str] = str,
) -> int:  # fmt: skip
    text = (
        "SELECT lifecycle.write_v1(%(kind)s, '', %(model)s, NULL, 1, NULL,"
        " lifecycle.now_v1(), NULL, %(detail)s::jsonb, NULL)"
    )
    params = {"kind": kind, "model": model, "detail": detail_of(json.dumps(detail))}
    return int(fetch("default", text, params)[0][0])


@pytest.mark.plants(10)
@pytest.mark.parametrize("detail", DETAILS, ids=range(len(DETAILS)))
def test_a_bad_entry_is_parked_and_the_others_go(detail: Any) -> None:
    before, after = stored(), stored()
    orphaned(before)
    bad = plant(detail)
    orphaned(after)
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (2, 1)
    assert not default_storage.exists(before)
    assert not default_storage.exists(after)
    (event,) = Event.objects.filter(kind="blocked")
    assert (event.basis, event.detail) == (bad, {"code": "BadEvent", "attempts": 1, "names": []})
    (entry,) = AgendaEntry.objects.filter(policy="")
    assert entry.event_id == event.pk
    assert entry.due_at > database_now()
    assert run_media().looked == 0


@pytest.mark.plants(10)
def test_names_that_are_very_deep_are_parked() -> None:
    name, deep = stored(), "[" * 1500 + "]" * 1500
    plant({"field": "file", "names": "here"}, detail_of=lambda text: text.replace('"here"', deep))
    orphaned(name)
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (1, 1)
    assert not default_storage.exists(name)


@pytest.mark.plants(10)
def test_it_is_tried_later_and_later_and_names_the_same_event() -> None:
    bad = plant({"field": "file", "names": [1]})
    run_media()
    for attempts in (2, 3):
        pass_time(hours=1)
        run_media()
        event = Event.objects.filter(kind="blocked").latest("pk")
        assert (event.basis, event.detail["attempts"]) == (bad, attempts)
        assert AgendaEntry.objects.filter(policy="").count() == 1
    agenda = list(AgendaEntry.objects.values_list("event_id", "due_at"))
    rebuild()
    assert list(AgendaEntry.objects.values_list("event_id", "due_at")) == agenda


@pytest.mark.plants(10)
@pytest.mark.parametrize("model", ["", "x", "a.b.c", "gone.model", "x" * 100])
def test_a_model_that_is_none(model: str) -> None:
    name = stored()
    plant({"field": "file", "names": [name]}, model)
    other = stored()
    orphaned(other)
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (1, 1)
    assert default_storage.exists(name)
    assert not default_storage.exists(other)


@pytest.mark.plants(10)
@pytest.mark.parametrize("kind", ["purged", "kept", "expiry_scheduled", "media_purged"])
def test_an_entry_of_another_kind_of_event(kind: str) -> None:
    number = plant({}, kind=kind)
    if not AgendaEntry.objects.filter(event_id=number):
        fetch(
            "default",
            "INSERT INTO lifecycle_agenda (event_id, policy, due_at, count, attempts)"
            " VALUES (%(n)s, '', lifecycle.now_v1(), 1, 0)",
            {"n": number},
        )
    name = stored()
    orphaned(name)
    assert run_media().purged == 1
    assert not default_storage.exists(name)


@pytest.mark.plants(10)
def test_names_that_no_store_takes() -> None:
    name = stored()
    orphaned("x" * 5000, "../../etc/passwd", "/etc/passwd", name)
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (1, 3)
    assert {each["code"] for each in told("blocked").values()} == {"BadName"}


@pytest.mark.plants(10)
def test_a_replay_passes_over_names_that_are_none() -> None:
    for names in ("a", 7, {}, None):
        plant({"field": "file", "names": names}, kind="media_purged")
    assert replay.find("default", EARLIEST, act=False).back == 0
