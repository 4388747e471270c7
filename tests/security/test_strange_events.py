"""One event that is not what an event is, of any kind: what reads the ledger goes on past it.

Only a superuser or the owner can write such an event. It must not hide the others.
"""

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.models import User
from lifecycle import hold
from lifecycle.db.connection import fetch
from lifecycle.models import AgendaEntry, Event, Kind, RowException
from lifecycle.promises import check as promises
from purge.alerts import watch
from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.lifecycle.admin.test_admin import SHOWN, url
from tests.security.commands import EVERY
from tests.zoo.models import Coupon, Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(*range(1, 13))]

GUIDE = (ROOT / "docs" / "reference" / "events.md").read_text()
ROWS = re.findall(r"^\| (`.*?`) \|", GUIDE.split("## Fields of")[1], re.MULTILINE)
FIELDS = sorted(name for row in ROWS for name in re.findall(r"`(\w+)`", row))
NONSENSE: dict[str, Any] = {
    "a text": "nonsense",
    "a list": ["nonsense"],
    "texts": dict.fromkeys(FIELDS, "nonsense"),
    "numbers": dict.fromkeys(FIELDS, 1e300),
    "lists": {field: [None, {}, "x"] for field in FIELDS},
    "objects": {field: {"a": {"b": []}} for field in FIELDS},
}
LATEST = len(Kind) * len(NONSENSE)  # events, of which each page is asked for
READERS = [*EVERY, ("check", "--database", "default")]


def insert(detail: Any) -> None:
    """An event of each kind with this detail, past the ledger's functions."""
    text = (
        "INSERT INTO lifecycle_event (kind, policy, model, subjects_text, count, recorded_at,"
        " cause, actor, detail) VALUES (%s, 'coupons', 'zoo.coupon', ARRAY['k'], 1, now(), '', '',"
        " %s::jsonb) RETURNING id"
    )
    for kind in Kind.values:
        fetch("default", text, [kind, json.dumps(detail)])


def outcome(words: tuple[str, ...]) -> tuple[str, BaseException | None]:
    out = io.StringIO()
    try:
        call_command(*words, stdout=out, stderr=out)
    except (CommandError, SystemExit) as error:
        return out.getvalue() + str(error), None
    except Exception as error:
        return out.getvalue(), error
    return out.getvalue(), None


@pytest.mark.slow
def test_everybody_goes_on(settings: Any, tmp_path: Path, caplog: Any) -> None:
    """All nonsense is there at once: to run every command for each form takes half a minute."""
    for detail in NONSENSE.values():
        insert(detail)
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    Coupon.objects.create(code="k", expires_at=timezone.now() + timedelta(days=1))
    failed = {}
    for words in READERS:
        _, error = outcome(words)
        if error:
            failed[" ".join(words)] = repr(error)[:300]
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    for name, address, asked in pages():
        try:
            assert client.get(address, asked).status_code == 200
        except Exception as error:
            failed[name] = repr(error)[:300]
    token = Token.objects.create(expires_at=timezone.now() - timedelta(hours=1))
    for step in (run_due, lambda: watch.watch("default")):
        try:
            step()
        except Exception as error:
            failed[str(step)] = repr(error)[:300]
    assert failed == {}
    assert not Token.objects.filter(pk=token.pk).exists()
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert all(each.startswith("coupons: capture_failed: ") for each in errors), errors  # an alert


def pages() -> Iterator[tuple[str, str, dict[str, str]]]:
    for model in SHOWN:
        yield model.__name__, url(model, "changelist"), {}
        yield model.__name__, url(model, "changelist"), {"q": "zoo.Coupon:k"}
    yield "row", reverse("admin:lifecycle_row"), {"row": "zoo.Coupon:k"}
    for event in Event.objects.values_list("pk", flat=True).order_by("-pk")[:LATEST]:
        yield f"event {event}", url(Event, "change", event), {}


def test_verify_names_each_and_checks_the_others() -> None:
    """A line for the strange one; what else is wrong is found all the same, by each promise."""
    insert(NONSENSE["texts"])
    archived = Event.objects.get(kind="archived").pk
    text = (
        "INSERT INTO lifecycle_event (kind, policy, model, subjects_text, count, recorded_at,"
        " cause, actor, detail) VALUES ('purged', 'coupons', 'zoo.coupon', ARRAY['other'], 1,"
        " now(), '', '', '{\"archive\": \"no-such\"}') RETURNING id"
    )
    ((purged,),) = fetch("default", text)
    said, error = outcome(("lifecycle", "verify"))
    assert error is None
    lines = said.splitlines()
    assert (
        len([line for line in lines if f"event {archived}, archived: its detail says" in line]) == 1
    )
    assert any(
        f"event {purged}" in line and "no event says that it was archived" in line for line in lines
    )
    assert "cannot be checked" not in said
    titles = [line for line in lines if re.match(r" ?\d+ .*: ", line)]
    assert len(titles) == len(promises.names())


def test_a_rebuild_loses_no_other_event() -> None:
    """Agenda and holds of sound events are as before; the command says what was left out."""
    row = Coupon.objects.create(code="held", expires_at=timezone.now() + timedelta(days=1))
    hold(row, reason="dispute")
    entries = set(AgendaEntry.objects.values_list("event_id", "policy", "due_at"))
    held = set(RowException.objects.values_list("kind", "key"))
    insert(NONSENSE["texts"])
    said, error = outcome(("lifecycle", "rebuild"))
    assert error is None
    assert "cannot be applied and were left out" in said
    assert entries <= set(AgendaEntry.objects.values_list("event_id", "policy", "due_at"))
    assert held <= set(RowException.objects.values_list("kind", "key"))
