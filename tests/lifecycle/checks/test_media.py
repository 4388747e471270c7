"""Checks of the tables whose files are watched, and what `track_media` refuses."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.test.utils import isolate_apps

from lifecycle import Policy, Signals, track_media
from lifecycle import exceptions as errors
from lifecycle.checks.media import check_media
from lifecycle.policy import media_fields as media
from lifecycle.policy.media_fields import unwatched, watched
from lifecycle.policy.registry import _policies
from tests.zoo.models import Clip, Legacy, Photo, Song, Take, Token, Upload


def told(number: int) -> list[CheckMessage]:
    ids = [f"lifecycle.{letter}{number:03}" for letter in "EW"]
    return [each for each in check_media() if each.id in ids and each.obj is not Legacy]


@pytest.fixture(autouse=True)
def _declarations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test declares is gone after it."""
    monkeypatch.setattr(media, "_tracked", dict(media._tracked))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> type[models.Model]:
    """A model with files of an installed package; Group stands in for one."""
    field = models.FileField(name="file")
    field.set_attributes_from_name("file")
    real = media.file_fields
    also: Any = lambda model: [field] if model._meta.concrete_model is Group else real(model)  # noqa: E731
    monkeypatch.setattr(media, "file_fields", also)
    return Group


def test_which_tables_are_watched() -> None:
    found = {each.model for each in watched()}
    assert {Song, Clip, Take, Photo, Upload} <= found
    assert Legacy not in found, "it has signals only"
    assert Token not in found
    assert unwatched() == [Legacy]
    assert {each.grace for each in watched() if each.model is Upload} == {timedelta(hours=2)}


def test_the_zoo_is_clean_but_for_its_signals() -> None:
    assert [(each.id, each.obj) for each in check_media()] == [("lifecycle.W045", Legacy)]


def test_a_model_of_an_installed_package_is_tracked_by_a_proxy(installed: Any) -> None:
    track_media(installed)
    (message,) = told(44)
    assert "class Group(InstalledGroup)" in str(message.hint)
    assert installed not in {each.model for each in watched()}
    media._tracked.clear()
    with isolate_apps("tests.zoo"):

        class Team(Group):
            class Meta:
                app_label = "zoo"
                proxy = True

        track_media(Team)
        assert told(44) == []
        assert Team in {each.model for each in watched()}


def test_a_policy_leaves_files_of_an_installed_package_behind(installed: Any) -> None:
    _policies["teams"] = Policy("teams", installed, on_request=True)
    try:
        (message,) = told(45)
        assert message.obj is installed
        assert "track_media(Group)" in str(message.hint)
    finally:
        del _policies["teams"]


def test_a_policy_by_signals_is_told_by_its_own_words() -> None:
    message = next(each for each in check_media() if each.obj is Legacy)
    assert "does not delete the instance" in message.msg
    assert isinstance(_policies["legacy"].capture, Signals)


def test_a_storage_that_overwrites_names(monkeypatch: pytest.MonkeyPatch) -> None:
    field = Upload._meta.get_field("file")
    monkeypatch.setattr(field, "storage", FileSystemStorage(allow_overwrite=True))
    (message,) = told(46)
    assert "zoo.Upload.file" in message.msg
    track_media(Song)
    assert len(told(46)) == 1


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        (Token, {}, "no file field"),
        (Upload, {}, "declared twice"),
        (Song, {"grace": 3}, "grace must be a timedelta"),
        (Song, {"grace": timedelta(days=-1)}, "grace must be a timedelta"),
        (Song, {"grace": timedelta(days=10**6)}, "up to 100 years"),
        ("zoo.Song", {}, "takes a concrete model class"),
    ],
)
def test_what_track_media_refuses(model: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(errors.PolicyError, match=says):
        track_media(model, **options)
