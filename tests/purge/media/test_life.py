"""Rows with files through their whole life, on a folder and on a real S3 server.

At the end store and database are compared: no file is left that no row shows, none is missing.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from lifecycle import hold
from lifecycle.models import AgendaEntry, Event
from lifecycle.testing import run_until, set_clock
from purge.media.run import run_media
from purge.runner import run_due
from tests.infra.servers import ROOT
from tests.purge.media.killed import GATES
from tests.purge.media.support import bucket_storage, folder
from tests.purge.worker.consumer import address
from tests.s3.swift import Server
from tests.zoo.models import Song, Take, Upload

Keys = Callable[[], set[str]]


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keys]:
    """Media go there; what is there, by name."""
    if request.param == "folder":
        with folder(tmp_path):
            yield lambda: {
                str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
            }
    else:
        server: Server = request.getfixturevalue("s3_server")
        with bucket_storage(server.bucket(), location="media", file_overwrite=False) as bucket:
            yield lambda: {key.removeprefix("media/") for key in bucket.keys("media/")}


def saved(name: str) -> ContentFile:
    return ContentFile(name.encode(), name)


def song(title: str, ended: bool = True, **files: Any) -> Song:
    ends = timezone.now() + timedelta(days=-1 if ended else 1000)
    return Song.objects.create(title=title, expires_at=ends, **files)


def shown() -> set[str]:
    """Every name that a row holds."""
    fields = [(Song, "file"), (Song, "cover"), (Take, "file"), (Upload, "file")]
    found = {
        name for model, field in fields for name in model.objects.values_list(field, flat=True)
    }
    return found - {None, ""}


def times_told() -> Counter[str]:
    events = Event.objects.filter(kind="media_purged")
    return Counter(name for event in events for name in event.detail["names"])


@pytest.mark.django_db
def test_whole_life(store: Keys):
    ended = song("ended", file=saved("a.mp3"), cover="covers/none.png")
    for number in range(3):
        Take.objects.create(song=ended, file=saved(f"take{number}.wav"))
    live = song("live", ended=False, file=saved("a.mp3"))
    song("shares", file=live.file.name)
    song("nothing")
    held = song("held", file=saved("h.mp3"))
    hold(held, reason="court")
    uploads = [Upload.objects.create(file=saved(f"{number}.bin")) for number in range(4)]
    before = store()
    uploads[0].file = saved("replaced.bin")
    uploads[0].save()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM zoo_upload WHERE id = %s", [uploads[1].pk])
    with transaction.atomic():
        Upload.objects.filter(pk=uploads[2].pk).delete()
        transaction.set_rollback(True)
    assert store() == {*before, uploads[0].file.name}  # nothing has had its grace
    run_until(timezone.now() + timedelta(days=3))
    assert not Song.objects.filter(title__in=["ended", "shares"]).exists()
    assert store() == shown()
    assert set(Upload.objects.all()) == {uploads[0], *uploads[2:]}
    gone = before - store()
    assert times_told() == dict.fromkeys({*gone, "covers/none.png"}, 1)
    assert not AgendaEntry.objects.filter(policy="").exists()


@pytest.mark.django_db
def test_a_new_row_takes_the_name(store: Keys):
    first = Upload.objects.create(file=saved("a.bin"))
    name = first.file.name
    first.delete()
    Upload.objects.create(file=name)
    run_until(timezone.now() + timedelta(days=2))
    assert store() == {name} == shown()
    Upload.objects.all().delete()
    run_until(timezone.now() + timedelta(days=4))
    assert store() == set()
    assert times_told() == {name: 1}


@pytest.mark.django_db
def test_the_same_name_again_after_it_went(store: Keys):
    name = Upload.objects.create(file=saved("a.bin")).file.name
    Upload.objects.all().delete()
    run_until(timezone.now() + timedelta(days=2))
    assert store() == set()
    again = Upload.objects.create(file=saved("a.bin"))
    assert again.file.name == name
    run_media()
    assert store() == {name}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("gate", GATES)
def test_killed(gate: str, store: Keys, tmp_path: Path):
    ended = song("ended", file=saved("a.mp3"))
    takes = [Take.objects.create(song=ended, file=saved(f"{number}.wav")) for number in range(3)]
    live = song("live", ended=False, file=saved("live.mp3"))
    song("shares", file=live.file.name)
    names = {ended.file.name, *(take.file.name for take in takes)}
    run_due()
    set_clock(timezone.now() + timedelta(hours=2))
    assert worker(gate, tmp_path) == -signal.SIGKILL
    assert Song.objects.count() == 1
    assert times_told() == {}
    assert store() == (shown() if gate != "rows" else {*names, live.file.name})
    run_due()
    assert store() == {live.file.name} == shown()
    assert times_told() == dict.fromkeys(names, 1)
    assert not AgendaEntry.objects.filter(policy="").exists()
    assert default_storage.exists(live.file.name)


def worker(gate: str, path: Path) -> int:
    """A process of its own that ends at the gate; how it ended."""
    import json

    script = str(ROOT / "tests" / "purge" / "media" / "killed.py")
    known = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address()}
    done = subprocess.run(
        [sys.executable, script, gate, json.dumps(settings.STORAGES), str(path)],
        cwd=ROOT,
        env=os.environ | known | {"PYTHONPATH": str(ROOT)},
        check=False,
        timeout=60,
    )
    return done.returncode
