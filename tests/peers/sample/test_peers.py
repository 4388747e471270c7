"""Rows of each package's model: written, changed, brought back through its API; then ended."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import reversion
from django.core.files.base import ContentFile
from django.utils import timezone
from reversion.models import Version
from taggit.models import Tag, TaggedItem

from lifecycle.checks.media import check_media
from lifecycle.checks.own_deletes import check_own_deletes
from lifecycle.models import Event
from purge.runner import run_due
from tests.peers.models import (
    Album,
    Animal,
    Article,
    Branch,
    Dog,
    Paper,
    Poll,
    Print,
    Recipe,
    Topic,
    Track,
)

pytestmark = pytest.mark.django_db(transaction=True)
PAST, LATER = timezone.now() - timedelta(hours=1), timezone.now() + timedelta(days=9)


def purged(model: Any) -> list[str]:
    """The keys of which the ledger says that they were purged, in order."""
    events = Event.objects.filter(kind="purged", model=model._meta.label_lower).order_by("id")
    return [key for event in events for key in event.subjects or ()]


# django-cleanup


@pytest.fixture
def papers(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "papers"


def paper(name: str, text: str, ends: datetime | None, model: Any = Paper) -> Any:
    made = model(expires_at=ends)
    made.file.save(name, ContentFile(text))
    return made


def texts(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in folder.iterdir()}


def test_cleanup_files_go_with_their_rows(papers: Path) -> None:
    gone, kept = paper("gone", "1", PAST), paper("kept", "2", LATER)
    run_due()
    assert [*Paper.objects.all()] == [kept]
    assert purged(Paper) == [str(gone.pk)]
    assert texts(papers) == {"kept": "2"}


def test_cleanup_replaced_file(papers: Path) -> None:
    kept = paper("first", "1", LATER)
    kept.file.save("second", ContentFile("2"))
    run_due()
    assert texts(papers) == {"second": "2"}
    assert Paper.objects.get().file.name == "papers/second"


def test_cleanup_name_used_again(papers: Path) -> None:
    """By a later upload under the name of a file that is gone: the new file stays."""
    gone = paper("name", "old", PAST)
    run_due()
    kept = paper("name", "new", LATER)
    run_due()
    assert texts(papers) == {"name": "new"}
    assert [*Paper.objects.all()] == [kept]
    assert purged(Paper) == [str(gone.pk)]


def test_cleanup_shared_file(papers: Path) -> None:
    """Two rows with one file: it is there as long as a row shows it, where only we delete it."""
    gone = paper("shared", "1", PAST, Print)
    kept = Print.objects.create(file=gone.file.name, expires_at=LATER)
    run_due()
    assert [*Print.objects.all()] == [kept]
    assert texts(papers) == {"shared": "1"}
    kept.expires_at = PAST
    kept.save()
    run_due()
    assert texts(papers) == {}
    assert Event.objects.filter(kind="media_purged").exists()


def test_cleanup_is_told_of() -> None:
    found = [message for message in check_media() if message.id == "lifecycle.W047"]
    assert [message.obj for message in found] == [Paper]


# safedelete


def album(ends: datetime | None, tracks: int = 2) -> Album:
    made = Album.objects.create(expires_at=ends)
    for _ in range(tracks):
        Track.objects.create(album=made)
    return made


def test_safedelete_hidden_rows_end_too() -> None:
    hidden, kept = album(PAST), album(LATER)
    hidden.delete()
    assert [*Album.objects.all()] == [kept]
    assert Album.all_objects.count() == 2
    run_due()
    assert [*Album.all_objects.all()] == [kept]
    assert {track.album_id for track in Track.all_objects.all()} == {kept.pk}
    assert Track.all_objects.count() == 2
    assert purged(Album) == [str(hidden.pk)]


def test_safedelete_foreign_keys_after_a_restore() -> None:
    back = album(LATER)
    back.delete()
    assert not Track.objects.exists()
    back.undelete()
    run_due()
    assert [*Album.objects.all()] == [back]
    assert {track.album_id for track in Track.objects.all()} == {back.pk}
    back.expires_at = PAST
    back.save()
    run_due()
    assert not Album.all_objects.exists()
    assert not Track.all_objects.exists()


# treebeard


def below(node: Topic, name: str, ends: datetime) -> Topic:
    above = Topic.objects.get(pk=node.pk)
    return Topic.objects.add_child(above, {"name": name, "expires_at": ends})


def test_treebeard_leaves_go_first_and_the_tree_is_whole() -> None:
    root = Topic.objects.add_root({"name": "root", "expires_at": LATER})
    old = below(root, "old", PAST)
    below(old, "older", PAST)
    below(below(root, "above", PAST), "below", LATER)
    run_due()
    assert {*Topic.objects.values_list("name", flat=True)} == {"root", "old", "above", "below"}
    assert not any(Topic.objects.find_problems())
    assert Topic.objects.get(name="old").numchild == 0
    assert Topic.objects.get(name="above").numchild == 1


# mptt


def test_mptt_branches_go_whole_and_the_numbers_are_right() -> None:
    root = Branch.objects.create(name="root", expires_at=LATER)
    old = Branch.objects.create(name="old", parent=root, expires_at=PAST)
    Branch.objects.create(name="below", parent=old, expires_at=LATER)
    kept = Branch.objects.create(name="kept", parent=root, expires_at=LATER)
    run_due()
    assert [*Branch.objects.order_by("pk")] == [root, kept]
    found = Branch.objects.get(pk=root.pk)
    assert found.get_descendant_count() == 1
    assert [*found.get_descendants()] == [kept]


# polymorphic


def test_polymorphic_rows_go_from_both_tables() -> None:
    gone, kept = Dog.objects.create(expires_at=PAST), Dog.objects.create(expires_at=LATER)
    plain = Animal.objects.create(expires_at=PAST)
    run_due()
    assert [*Animal.objects.all()] == [kept]
    assert [*Dog.objects.all()] == [kept]
    assert sorted(purged(Animal)) == sorted([str(gone.pk), str(plain.pk)])


# reversion


def test_reversion_a_recovered_row_has_a_life_of_its_own() -> None:
    with reversion.create_revision():
        gone = Article.objects.create(name="first", expires_at=PAST)
        kept = Article.objects.create(name="other", expires_at=LATER)
    run_due()
    assert [*Article.objects.all()] == [kept]
    version = Version.objects.get_deleted(Article).get()
    version.revision.revert()
    assert Article.objects.get(pk=gone.pk).name == "first"
    Article.objects.filter(pk=gone.pk).update(expires_at=LATER)
    run_due()
    assert {*Article.objects.all()} == {gone, kept}
    Article.objects.filter(pk=gone.pk).update(expires_at=PAST)
    run_due()
    assert [*Article.objects.all()] == [kept]
    assert purged(Article) == [str(gone.pk)] * 2


# simple-history


def test_simple_history_writes_the_end_down_and_ends_itself() -> None:
    gone, kept = Poll.objects.create(expires_at=PAST), Poll.objects.create(expires_at=LATER)
    run_due()
    assert [*Poll.objects.all()] == [kept]
    history = Poll.history.model.objects
    assert [*history.filter(id=gone.pk).values_list("history_type", flat=True)] == ["-", "+"]
    history.filter(id=gone.pk).update(history_date=timezone.now() - timedelta(days=31))
    run_due()
    assert not history.filter(id=gone.pk).exists()
    assert history.filter(id=kept.pk).count() == 1


# taggit


def test_taggit_tags_of_a_row_go_along() -> None:
    gone, kept = Recipe.objects.create(expires_at=PAST), Recipe.objects.create(expires_at=LATER)
    for recipe in (gone, kept):
        recipe.tags.add("sweet", "quick")
    run_due()
    assert [*Recipe.objects.all()] == [kept]
    assert {item.object_id for item in TaggedItem.objects.all()} == {kept.pk}
    assert TaggedItem.objects.count() == 2
    assert Tag.objects.count() == 2


def test_models_that_delete_in_a_way_of_their_own_are_named() -> None:
    told = {each.obj.__name__: each.msg for each in check_own_deletes()}
    assert sorted(told) == ["Album", "Animal", "Branch", "Dog", "Topic", "Track"]
    assert "mptt.models.MPTTModel.delete()" in told["Branch"]
    assert "treebeard.mp_tree.MP_NodeQuerySet.delete()" in told["Topic"]
    assert "safedelete.models.SafeDeleteModel.delete()" in told["Track"], "it goes along"
