"""The page of a log: how it stands, what is published, who has cosigned it, and what to do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from lifecycle.models import SealedLog
from purge.proof import gate, place, work
from purge.proof.work import publish_now
from tests.lifecycle.admin.browser import measured
from tests.lifecycle.admin.test_admin import url
from tests.lifecycle.admin.test_admin_row import client_of
from tests.lifecycle.admin.test_policy_page import said
from tests.lifecycle.sealing.support import write
from tests.purge.proof.support import USING, WITNESS, in_folder, published, read_head

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = 390


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, witness: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gate, "_known", {})
    monkeypatch.setattr(place, "_heard", {})
    monkeypatch.setattr(work, "_publishers", {})
    with in_folder(tmp_path, witnesses={witness: str(WITNESS.verifier)}):
        yield


def page(client: Client) -> str:
    return client.get(url(SealedLog, "change", 1)).text


def test_of_a_log_that_is_published() -> None:
    published(30)
    write(5)
    client, head = client_of("view_sealedlog"), read_head()
    text = page(client)
    assert "No alarm" in said(text, "State")
    assert said(text, "Published events") == f"{head.size}"
    assert head.root.hex() in said(text, "Published head")
    assert f"{WITNESS.name} has cosigned {head.size} events" in said(text, "Witnesses")
    assert said(text, "What to do") == "Nothing."
    assert "No alarm" in client.get(url(SealedLog, "changelist")).text


@pytest.mark.slow
def test_of_an_alarm(back_up: Callable[[], Callable[[], None]]) -> None:
    published(30)
    restore = back_up()
    published(3)
    restore()
    publish_now(USING)
    client = client_of("view_sealedlog")
    text = page(client)
    assert "restored: the database was restored from a backup" in said(text, "State")
    assert "Nothing ends in this database" in said(text, "What to do")
    assert "manage.py lifecycle verify --proof" in said(text, "What to do")
    sizes = measured([text, client.get(url(SealedLog, "changelist")).text], PHONE, "input")
    assert [size["wide"] for size in sizes] == [PHONE, PHONE]


def test_looking_needs_the_permission() -> None:
    published()
    response: Any = client_of("view_event").get(url(SealedLog, "changelist"))
    assert response.status_code == 403
