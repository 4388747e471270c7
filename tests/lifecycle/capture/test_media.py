"""A file's name that a statement has taken out of its rows is in the ledger, whoever ran it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

import purge
from lifecycle.insight.media_status import media_status
from lifecycle.ledger import policy_states as states
from lifecycle.models import AgendaEntry, Event
from lifecycle.testing import capture_off
from purge.runner import run_due
from tests.support import let_pass, session
from tests.zoo import models as zoo
from tests.zoo.models import Clip, Legacy, Person, Photo, Scan, Song, Take, Upload

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


def execute(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def orphans(**which: Any) -> list[tuple[str, str, list[str]]]:
    """What the ledger says is orphaned: model, field, names."""
    told = Event.objects.filter(kind="media_orphaned", **which).order_by("id")
    return [(each.model, each.detail["field"], each.detail["names"]) for each in told]


def two_songs() -> tuple[Song, Song]:
    return (
        Song.objects.create(file="a.mp3", cover="a.png"),
        Song.objects.create(file="b.mp3", cover="b.png"),
    )


BOTH = [
    ("zoo.song", "file", ["a.mp3", "b.mp3"]),
    ("zoo.song", "cover", ["a.png", "b.png"]),
]


def by_queryset() -> None:
    Song.objects.all().delete()


def by_raw_sql() -> None:
    execute("DELETE FROM zoo_song")


def by_truncate() -> None:
    execute("TRUNCATE zoo_song CASCADE")


def by_update() -> None:
    Song.objects.update(file="", cover=None)


def by_upsert() -> None:
    execute(
        "INSERT INTO zoo_song (id, title, file) SELECT id, '', 'new.mp3' FROM zoo_song"
        ' ON CONFLICT (id) DO UPDATE SET file = excluded.file, "it\'s a cover" = NULL'
    )


@pytest.mark.parametrize("write", [by_queryset, by_raw_sql, by_truncate, by_update, by_upsert])
def test_every_way_to_lose_a_name(write: Callable[[], None]) -> None:
    two_songs()
    write()
    assert orphans() == BOTH
    entries = AgendaEntry.objects.filter(policy="")
    assert [(each.count, each.event.count) for each in entries] == [(2, 2), (2, 2)]


def test_an_instance_that_is_saved_or_deleted() -> None:
    song = Song.objects.create(file="a.mp3", cover="a.png")
    song.file = "b.mp3"
    song.save()
    song.save()  # nothing changes
    song.delete()
    assert orphans() == [
        ("zoo.song", "file", ["a.mp3"]),
        ("zoo.song", "file", ["b.mp3"]),
        ("zoo.song", "cover", ["a.png"]),
    ]


def test_names_that_a_row_of_the_statement_still_has_are_no_orphans() -> None:
    first, second = two_songs()
    with connection.cursor() as cursor:  # the two swap their files
        cursor.execute(
            "UPDATE zoo_song SET file = CASE id WHEN %s THEN 'b.mp3' ELSE 'a.mp3' END", [first.pk]
        )
    assert Song.objects.get(pk=second.pk).file.name == "a.mp3"
    Song.objects.update(title="changed")
    Song.objects.filter(pk=0).delete()
    assert orphans() == []


def test_rows_without_files_leave_none() -> None:
    Song.objects.create(file="", cover=None)
    Song.objects.update(file="a.mp3")
    Song.objects.update(file="")
    Song.objects.all().delete()
    assert orphans() == [("zoo.song", "file", ["a.mp3"])]


def test_a_shared_file_is_recorded_once_for_a_statement() -> None:
    Song.objects.bulk_create(Song(file="same.mp3") for _ in range(3))
    Song.objects.filter(pk=Song.objects.earliest("pk").pk).delete()
    Song.objects.all().delete()
    assert orphans() == [("zoo.song", "file", ["same.mp3"])] * 2


def test_a_rollback_takes_the_event_back() -> None:
    two_songs()
    with transaction.atomic():
        Song.objects.all().delete()
        assert orphans() == BOTH
        transaction.set_rollback(True)
    assert orphans() == []
    assert not AgendaEntry.objects.filter(policy="").exists()


@pytest.mark.parametrize("empty", ["DELETE FROM zoo_upload", "TRUNCATE zoo_upload"])
def test_a_thousand_names_an_event(empty: str) -> None:
    Upload.objects.bulk_create(Upload(file=f"{number:04}.txt") for number in range(2_001))
    execute(empty)
    told = Event.objects.filter(kind="media_orphaned").order_by("id")
    assert [(each.count, len(each.detail["names"])) for each in told] == [
        (1_000, 1_000),
        (1_000, 1_000),
        (1, 1),
    ]
    assert len({name for each in told for name in each.detail["names"]}) == 2_001
    waits = [each.due_at - each.recorded_at for each in told if each.due_at]
    assert all(2 * HOUR - timedelta(seconds=1) < wait <= 2 * HOUR for wait in waits)


def test_a_child_table_and_its_parent_each_tell_their_own() -> None:
    clip = Clip.objects.create(file="a.mp3", cover=None, video="a.mp4")
    Clip.objects.update(video="b.mp4", file="b.mp3")
    clip.delete()
    assert sorted(orphans()) == [
        ("zoo.clip", "video", ["a.mp4"]),
        ("zoo.clip", "video", ["b.mp4"]),
        ("zoo.song", "file", ["a.mp3"]),
        ("zoo.song", "file", ["b.mp3"]),
    ]


@pytest.fixture
def database_cascade() -> Iterator[None]:
    """The foreign key of a take deletes it, without Django."""
    (name,) = foreign_keys("zoo_take")
    alter = f'ALTER TABLE zoo_take DROP CONSTRAINT "{name}", ADD CONSTRAINT "{name}" '
    refer = "FOREIGN KEY (song_id) REFERENCES zoo_song (id) "
    execute(f"{alter} {refer} ON DELETE CASCADE")
    yield
    execute(f"{alter} {refer} DEFERRABLE INITIALLY DEFERRED")


def foreign_keys(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.usefixtures("database_cascade")
def test_a_cascade_of_the_database_is_seen() -> None:
    song = Song.objects.create()
    Take.objects.create(song=song, file="take.mp3")
    execute("DELETE FROM zoo_song WHERE id = %s", song.pk)
    assert orphans() == [("zoo.take", "file", ["take.mp3"])]


@pytest.mark.parametrize("table", ["zoo_scan", "zoo_scan_low"])
@pytest.mark.parametrize("empty", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET file = ''"])
def test_a_partition_and_the_whole_table(table: str, empty: str) -> None:
    Scan.objects.create(pk=1, file="low.pdf")
    Scan.objects.create(pk=2_000, file="high.pdf")
    execute(empty.format(table))
    names = [name for _, _, names in orphans() for name in names]
    assert sorted(names) == (["low.pdf"] if table == "zoo_scan_low" else ["high.pdf", "low.pdf"])


def test_what_the_worker_ends_goes_at_once() -> None:
    song = Song.objects.create(file="a.mp3", expires_at=timezone.now() - HOUR)
    Take.objects.create(song=song, file="take.mp3")
    run_due()
    let_pass(2 * HOUR)  # its grace is over
    run_due()
    assert orphans() == [("zoo.take", "file", ["take.mp3"]), ("zoo.song", "file", ["a.mp3"])]
    told = Event.objects.filter(kind="media_orphaned")
    assert all(each.due_at <= each.recorded_at and each.run for each in told if each.due_at)


def test_files_that_an_update_takes_out_go_at_once() -> None:
    client = zoo.Client.objects.create(picture="face.png")
    purge.erase(client, reference="DSR-2", actor="jo")
    told = Event.objects.get(kind="media_orphaned")
    assert told.due_at
    assert told.due_at <= told.recorded_at
    assert told.run
    assert told.detail["names"] == ["face.png"]


def test_an_erasure_says_which_files_it_left() -> None:
    person = Person.objects.create()
    Photo.objects.create(person=person, file="me.png")
    receipt = purge.erase(person, reference="DSR-1", actor="jo", grace=timedelta(0))
    told = Event.objects.get(kind="media_orphaned")
    assert (told.detail["names"], told.detail["erasure"]) == (["me.png"], receipt.erasure)


def test_a_lost_column_breaks_no_write_of_the_host() -> None:
    two_songs()
    with transaction.atomic():
        execute("ALTER TABLE zoo_song RENAME COLUMN file TO sound")
        execute("UPDATE zoo_song SET title = 'x'")
        execute("TRUNCATE zoo_song CASCADE")
        execute("ALTER TABLE zoo_song RENAME COLUMN sound TO file")
    told = Event.objects.filter(kind="capture_failed", policy="", model="zoo.song")
    assert [each.detail["sqlstate"] for each in told] == ["42703", "42703"]
    assert orphans() == [("zoo.song", "cover", ["a.png", "b.png"])]


def test_the_workers_delete_is_refused_where_files_cannot_be_read() -> None:
    """A purge that recorded no names would leave files behind."""
    Upload.objects.create(file="a.txt")
    said = '{"model": "zoo.upload", "kind": "purged"}'
    with transaction.atomic():
        execute("ALTER TABLE zoo_upload RENAME COLUMN file TO other")
        execute(f"SELECT lifecycle.announce_v1('{said}')")
        with pytest.raises(IntegrityError, match="files of"), transaction.atomic():
            execute("DELETE FROM zoo_upload")
        transaction.set_rollback(True)
    assert Upload.objects.exists()


def test_a_role_with_rights_on_its_own_table_is_enough() -> None:
    Upload.objects.create(file="a.txt")
    Upload.objects.create(file="b.txt")
    with session() as other:
        other.execute("CREATE ROLE zoo_porter")
        other.execute("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON zoo_upload TO zoo_porter")
        other.execute("SET ROLE zoo_porter")
        other.execute("UPDATE zoo_upload SET file = 'c.txt' WHERE file = 'a.txt'")
        other.execute("DELETE FROM zoo_upload WHERE file = 'b.txt'")
        other.execute("TRUNCATE zoo_upload")
        other.execute("INSERT INTO zoo_upload (file) VALUES ('d.txt')")
        other.execute("RESET ROLE; REVOKE SELECT ON zoo_upload FROM zoo_porter")
        other.execute("SET ROLE zoo_porter; TRUNCATE zoo_upload; RESET ROLE")
        other.execute("DROP OWNED BY zoo_porter; DROP ROLE zoo_porter")
    # Who may not read may still empty the table: the trigger reads it.
    assert [names for _, _, names in orphans()] == [["a.txt"], ["b.txt"], ["c.txt"], ["d.txt"]]


@pytest.mark.slow
def test_nothing_is_recorded_while_capture_is_off() -> None:
    two_songs()
    with capture_off():
        Song.objects.all().delete()
    assert orphans() == []


def test_signals_tell_of_what_django_deletes() -> None:
    Legacy.objects.create(file="seen.txt").delete()
    Legacy.objects.create(file="").delete()
    Legacy.objects.create(file="replaced.txt")
    Legacy.objects.update(file="")
    assert orphans() == [("zoo.legacy", "file", ["seen.txt"])]


def test_a_rebuild_lists_the_same_files() -> None:
    two_songs()
    Song.objects.all().delete()
    before = list(AgendaEntry.objects.order_by("pk").values())
    execute("SELECT lifecycle.rebuild_v1()")
    assert list(AgendaEntry.objects.order_by("pk").values()) == before
    assert len(before) == 2


@pytest.mark.slow
def test_status_tells_of_files() -> None:
    assert "(media)" not in status()
    Upload.objects.create(file="a.txt").delete()
    (line,) = media_status()
    assert (line.scheduled, line.due, line.blocked, line.problems) == (1, 0, 0, [])
    let_pass(3 * HOUR)
    (line,) = media_status()
    assert (line.scheduled, line.due) == (0, 1)
    assert line.problems == [f"{line.problems[0].split()[0]} behind: does a worker run?"]
    assert "(media)" in status()
    write_blocked()
    assert "1 files cannot be deleted" in media_status()[0].problems[0]
    states.change_all(states.PAUSE, actor="ann")
    assert media_status()[0].state == "paused"


def status() -> str:
    out = StringIO()
    with suppress(SystemExit):
        call_command("lifecycle", "status", stdout=out)
    return out.getvalue()


def write_blocked() -> None:
    execute(
        "SELECT lifecycle.write_v1('blocked', '', 'zoo.upload', NULL, 1, NULL, now() + '1 hour',"
        """ NULL, '{"field": "file", "names": ["b.txt"], "code": "EACCES", "attempts": 1}', NULL)"""
    )


def test_the_admin_shows_names_as_text(admin_client: Client) -> None:
    Upload.objects.bulk_create(Upload(file=f"<b>{number:02}") for number in range(25))
    Upload.objects.all().delete()
    event = Event.objects.get(kind="media_orphaned")
    page = admin_client.get(f"/admin/lifecycle/event/{event.pk}/change/").content.decode()
    assert "file: &lt;b&gt;00, &lt;b&gt;01" in page
    assert "and 5 more" in page
    assert "<b>0" not in page
