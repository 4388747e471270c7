"""The media step on a folder: what goes, what stays, what the ledger is told."""

import errno
import os
import time
from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage, default_storage
from django.test import override_settings

from demo.models import ServiceMedia
from lifecycle.db.connection import fetch
from lifecycle.ledger.policy_states import pause, rebuild, resume
from lifecycle.models import AgendaEntry, Event, PolicyState
from lifecycle.policy.media_fields import ended_by
from lifecycle.policy.registry import all_policies
from lifecycle.signals import media_manifest
from purge.alerts import watch as alerts
from purge.batch.outcome import MEDIA
from purge.erasure.receipt import gone
from purge.media import batch
from purge.media.run import run_media
from purge.models import Run
from purge.passes.due import ready_policies
from purge.passes.options import PassOptions
from tests.clock import pass_time
from tests.mailing import ADMINS
from tests.purge.media.support import age, folder, make_service, orphaned, stored, told, waiting
from tests.zoo.models import Upload

MEMORY = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path):
    with folder(tmp_path):
        yield tmp_path


def test_a_file_that_no_row_shows_goes_once(media: Path):
    name = stored()
    orphaned(name)
    assert run_media().purged == 1
    assert not default_storage.exists(name)
    assert told("media_purged") == {name: {"field": "file"}}
    assert waiting() == []
    assert run_media().looked == 0


def test_a_batch_that_the_server_stops_is_followed_by_smaller_ones(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    names = [stored() for _ in range(3)]
    for name in names:
        orphaned(name)
    claim = batch.claim

    def claimed(own: batch.MediaBatch, since: datetime, seen: list[int], most: int) -> bool:
        found = claim(own, since, seen, most)
        if len(own.orphans) > 1:
            fetch("default", "SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)")
        return found

    monkeypatch.setattr(batch, "claim", claimed)
    assert run_media().purged == 3
    assert told("media_purged").keys() == set(names)
    assert [vars(r)["count"] for r in caplog.records if vars(r)["action"] == "stopped"] == [
        100, 10, 1,
    ]  # fmt: skip


def test_what_a_live_row_shows_stays(media: Path):
    shared, alone = stored(), stored()
    service = make_service()
    ServiceMedia.objects.create(service=service, file=shared)
    orphaned(shared, alone)
    outcome = run_media()
    assert (outcome.purged, outcome.kept) == (1, 1)
    assert told("kept") == {shared: {"field": "file", "reason": "in use"}}
    assert (default_storage.exists(shared), default_storage.exists(alone)) == (True, False)
    assert waiting() == []


def test_a_missing_file_counts_as_gone():
    orphaned("services/none.jpg")
    assert run_media().purged == 1
    assert told("media_purged") == {"services/none.jpg": {"field": "file"}}


def test_a_file_uploaded_again_stays(media: Path):
    name = stored()
    orphaned(name)
    pass_time(hours=3)
    assert stored(name, aged=False) != name  # this storage gives another name
    (media / name).write_bytes(b"another")
    assert run_media().kept == 1
    assert told("kept") == {name: {"field": "file", "reason": "uploaded again"}}
    assert default_storage.exists(name)


def test_a_file_of_about_the_same_time_is_waited_for(media: Path):
    """Its row may not be committed yet; when none has come, it goes."""
    name = stored()
    orphaned(name)
    age(name, hours=1)  # moved here since, with the time of its bytes
    assert run_media().kept == 1
    assert told("kept")[name]["reason"] == "just written"
    assert default_storage.exists(name)
    pass_time(minutes=11)
    assert run_media().purged == 1
    assert not default_storage.exists(name)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../up.jpg", "a/../../up.jpg", "a//b.jpg", "./a.jpg", "a\\b", "a/"]
)
def test_names_outside_the_storage_are_refused(media: Path, name: str):
    (media.parent / "up.jpg").write_bytes(b"x")
    orphaned(name)
    assert run_media().blocked == 1
    assert told("blocked")[name]["code"] == "BadName"
    assert (media.parent / "up.jpg").exists()


def test_a_folder_is_not_removed(media: Path):
    (media / "empty").mkdir()
    age("empty")
    orphaned("empty")
    assert run_media().blocked == 1
    assert (media / "empty").is_dir()


def test_archives_in_the_same_folder_are_never_reached(media: Path, settings):
    settings.LIFECYCLE_ARCHIVE_DIR = str(media / "archives")
    name = stored("archives/audit.json")
    orphaned(name)
    assert run_media().blocked == 1
    assert told("blocked")[name]["code"] == "ArchivePrefix"


def test_a_field_that_is_gone_blocks_and_is_tried_again():
    orphaned("a.jpg", field="photo")
    orphaned("b.jpg", model="demo.nothing")
    assert run_media().blocked == 2
    assert {each["code"] for each in told("blocked").values()} == {"NoSuchField"}
    assert len(waiting()) == 2
    pass_time(minutes=2)
    run_media()
    assert {each["attempts"] for each in told("blocked").values()} == {2}


def test_a_name_orphaned_twice_is_told_once():
    name = stored()
    orphaned(name)
    orphaned(name)
    assert run_media().purged == 1
    assert Event.objects.filter(kind="media_purged").get().settled is not None
    assert waiting() == []


def test_a_file_that_cannot_be_deleted_is_blocked(media: Path, monkeypatch):
    """A mock: as root, no real file refuses."""
    name, other = stored(), stored()
    orphaned(name, other)
    real = os.remove

    def refuse(path):
        if path == str(media / name):
            raise PermissionError(errno.EACCES, "no")
        real(path)

    monkeypatch.setattr("os.remove", refuse)
    outcome = run_media()
    assert (outcome.purged, outcome.blocked) == (1, 1)
    assert told("blocked")[name]["code"] == "EACCES"
    assert name not in told("media_purged")


def test_a_dry_run_changes_nothing():
    name = stored()
    orphaned(name)
    before = Event.objects.count()
    assert run_media(options=PassOptions(dry=True)).purged == 1
    assert default_storage.exists(name)
    assert (Event.objects.count(), Run.objects.count(), len(waiting())) == (before, 0, 1)


def test_a_rebuild_gives_the_same_agenda():
    orphaned(stored(), "../bad")
    orphaned(stored())
    run_media()
    before = list(AgendaEntry.objects.order_by("pk").values())
    assert len(before) == 1
    rebuild()
    assert list(AgendaEntry.objects.order_by("pk").values()) == before


def test_nothing_goes_while_everything_is_paused():
    orphaned(stored())
    for name in PolicyState.objects.filter(state="enabled").values_list("name", flat=True):
        pause(name)
    assert run_media().looked == 0
    assert MEDIA not in {ready.policy for ready in ready_policies()}
    resume("draft-services" if "draft-services" in names() else names()[0])
    assert run_media().purged == 1


def names() -> list[str]:
    return list(PolicyState.objects.filter(state="paused").values_list("name", flat=True))


def test_derived_names_go_along():
    name, shown = stored("services/a.jpg"), stored("services/b.jpg")
    ServiceMedia.objects.create(service=make_service(), file=shown)
    thumbs = {each: stored(f"thumbs/{each}") for each in (name, shown)}

    def thumbnails(sender, field, names, **kwargs):
        assert (sender, field) == (ServiceMedia, "file")
        return [f"thumbs/{each}" for each in names] + [f"large/{each}" for each in names]

    media_manifest.connect(thumbnails)
    try:
        orphaned(name, shown)
        outcome = run_media()
    finally:
        media_manifest.disconnect(thumbnails)
    assert (outcome.purged, outcome.kept) == (2, 1)
    assert told("media_purged").keys() == {name, thumbs[name]}  # there was no large one
    assert default_storage.exists(thumbs[shown])


def test_a_receiver_that_fails_keeps_the_files():
    name = stored()

    def broken(**kwargs):
        raise RuntimeError

    media_manifest.connect(broken)
    try:
        orphaned(name)
        assert run_media().blocked == 1
    finally:
        media_manifest.disconnect(broken)
    assert told("blocked")[name]["code"] == "media_manifest RuntimeError"
    assert default_storage.exists(name)


@pytest.mark.slow
def test_many_small_entries_and_large_ones():
    names = [stored() for _ in range(12)]
    for name in names[:10]:
        orphaned(name)
    orphaned(*names[10:], *(f"none/{number}" for number in range(995)))
    outcome = run_media()
    assert outcome.purged == 10 + 997
    assert told("media_purged").keys() >= set(names)
    assert max(Event.objects.filter(kind="media_purged").values_list("count", flat=True)) <= 1000
    assert Run.objects.get(policy="").purged == 1007


def test_other_storages_one_by_one():
    with override_settings(STORAGES=MEMORY):
        name, there = stored(), stored()
        ServiceMedia.objects.create(service=make_service(), file=there)
        orphaned(name, there)
        pass_time(hours=-1)
        assert run_media().looked == 0
        pass_time(hours=1)
        time.sleep(0.01)
        outcome = run_media()
        assert (outcome.purged, outcome.kept) == (0, 2)  # one just written
        pass_time(minutes=11)
        assert default_storage.exists(there)


def test_people_are_told_of_files_that_cannot_be_deleted(mailoutbox, settings):
    settings.ADMINS = ADMINS
    orphaned("../one.jpg", "../two.jpg")
    run_media()
    alerts.watch("default")
    (mail,) = mailoutbox
    assert "Retention of demo.servicemedia: files cannot be deleted" in mail.subject
    assert "2 files that no row of demo.ServiceMedia shows any more" in mail.body
    assert "BadName" in mail.body


def test_the_receipt_says_when_files_went():
    name, left = stored(), stored()
    orphaned(name)
    run_media()
    deleted_at = Event.objects.get(kind="media_purged").recorded_at
    assert gone([name, left], 0, "default") == {name: deleted_at}
    assert gone([name], Event.objects.latest("pk").pk, "default") == {}


def test_a_model_that_was_renamed_takes_its_files_along():
    name = stored()
    orphaned(name, model="demo.serviceimage")
    text = (
        "SELECT lifecycle.write_v1('policy_changed', 's', 'demo.servicemedia', NULL, 0, NULL,"
        ' NULL, NULL, \'{"formerly": "demo.serviceimage"}\', NULL)'
    )
    fetch("default", text)
    assert run_media().purged == 1
    assert not default_storage.exists(name)


def test_a_storage_below_another_knows_its_files(media: Path, monkeypatch):
    """A row of one field shows by another name what was orphaned by the other."""
    below = FileSystemStorage(location=str(media / "services"))
    monkeypatch.setattr(Upload._meta.get_field("file"), "storage", below)
    name = stored("services/a.jpg")
    Upload.objects.create(file="a.jpg")
    orphaned(name)
    assert run_media().kept == 1
    assert default_storage.exists(name)
    kept = stored("services/b.jpg")
    ServiceMedia.objects.create(service=make_service(), file=kept)
    orphaned("b.jpg", model="zoo.upload")
    assert run_media().kept == 1
    assert default_storage.exists(kept)


@pytest.mark.parametrize("form", ["./{name}", "{root}/{name}", "services//{file}"])
def test_a_row_that_writes_the_name_otherwise_keeps_its_file(media: Path, form: str):
    name = stored()
    said = form.format(name=name, root=media, file=name.rpartition("/")[2])
    ServiceMedia.objects.create(service=make_service(), file=said)
    assert default_storage.exists(said)
    orphaned(name)
    assert run_media().kept == 1
    assert default_storage.exists(name)


def test_a_table_in_another_schema_keeps_its_files(monkeypatch):
    """A schema is written into `db_table`, which no list of tables has in this form."""
    name = stored()
    monkeypatch.setattr(ServiceMedia._meta, "db_table", 'public"."demo_servicemedia')
    ServiceMedia.objects.create(service=make_service(), file=name)
    orphaned(name)
    assert run_media().kept == 1
    assert default_storage.exists(name)


class NoMigrations:
    """A router of a site whose tables somebody else makes."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return app_label != "demo"


def test_tables_that_are_never_migrated_keep_their_files(settings):
    settings.DATABASE_ROUTERS = [NoMigrations()]
    name = stored()
    ServiceMedia.objects.create(service=make_service(), file=name)
    orphaned(name)
    assert run_media().kept == 1
    assert default_storage.exists(name)


class OneFolder(InMemoryStorage):
    """Another class over the same files."""


@pytest.mark.parametrize("kind", [InMemoryStorage, OneFolder])
def test_fields_with_other_storages_of_a_kind_know_each_other(kind, monkeypatch):
    """Where nobody knows whether two storages have the same objects, they may."""
    with override_settings(STORAGES=MEMORY):
        name = stored()
        other = kind()
        monkeypatch.setattr(other, "_root", default_storage._root, raising=False)
        monkeypatch.setattr(Upload._meta.get_field("file"), "storage", other)
        Upload.objects.create(file=name)
        orphaned(name)
        pass_time(minutes=11)
        assert run_media().kept == 1
        assert told("kept")[name]["reason"] == "in use"
        assert default_storage.exists(name)


def test_a_table_whose_policies_only_observe_loses_no_file_that_the_site_took_away():
    """Until one of them is enabled; what the worker has ended goes."""
    name = stored()
    orphaned(name)
    reach = {policy.name for policy in all_policies() if ServiceMedia in ended_by(policy)}
    PolicyState.objects.filter(name__in=reach).update(state="observe")
    assert run_media().kept == 1
    assert told("kept")[name]["reason"] == "observed"
    assert default_storage.exists(name)
    pass_time(days=2)
    assert run_media().kept == 1
    PolicyState.objects.filter(name__in=reach).update(state="enabled")
    pass_time(days=3)
    age(name, hours=24 * 6)
    assert run_media().purged == 1
    assert not default_storage.exists(name)
