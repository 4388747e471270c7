"""The German catalogues: all that is said, translated, with the same places, and compiled."""

import re
from pathlib import Path

import django
import polib
import pytest

from tests.infra.servers import ROOT
from tests.languages.marked import messages

APPS = ("lifecycle", "purge")
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%%|</?\w+[^>]*>|`[^`]*`|^    manage\.py.*$", re.MULTILINE)
WORD = re.compile(r"[A-Za-z]{3,}")


def catalogue(app: str, suffix: str = "po") -> Path:
    return ROOT / app / "locale" / "de" / "LC_MESSAGES" / f"django.{suffix}"


def texts_of(entry: polib.POEntry) -> list[str]:
    """What it is translated by: one, or one for each number."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def places(text: str) -> list[str]:
    return sorted(PLACE.findall(text))


@pytest.mark.parametrize("app", APPS)
def test_it_has_what_is_said_and_nothing_else(app: str) -> None:
    known = {(entry.msgid, entry.msgid_plural) for entry in polib.pofile(str(catalogue(app)))}
    said = messages(app)
    assert said - known == set(), "run `make messages`, and translate what is new"
    assert known - said == set(), "run `make messages`"


@pytest.mark.parametrize("app", APPS)
def test_all_of_it_is_translated(app: str) -> None:
    entries = polib.pofile(str(catalogue(app)))
    assert [entry.msgid for entry in entries if not entry.translated()] == []
    assert [entry.msgid for entry in entries if entry.fuzzy or entry.obsolete] == []
    assert [entry.msgid for entry in entries if not all(map(str.strip, texts_of(entry)))] == []


@pytest.mark.parametrize("app", APPS)
def test_no_sentence_is_left_in_english(app: str) -> None:
    entries = [each for each in polib.pofile(str(catalogue(app))) if each.msgid in texts_of(each)]
    assert [
        each.msgid for each in entries if len(WORD.findall(PLACE.sub("", each.msgid))) > 1
    ] == []


@pytest.mark.parametrize("app", APPS)
def test_values_and_commands_have_their_places(app: str) -> None:
    for entry in polib.pofile(str(catalogue(app))):
        for text in texts_of(entry):
            assert places(text) == places(entry.msgid_plural or entry.msgid), entry.msgid
            assert text.endswith("\n") == entry.msgid.endswith("\n"), entry.msgid


@pytest.mark.parametrize("app", APPS)
def test_it_is_compiled(app: str) -> None:
    written = {(e.msgid, e.msgid_plural): texts_of(e) for e in polib.pofile(str(catalogue(app)))}
    compiled = polib.mofile(str(catalogue(app, "mo")))
    assert {(each.msgid, each.msgid_plural): texts_of(each) for each in compiled} == written
    assert compiled.metadata["Plural-Forms"] == "nplurals=2; plural=(n != 1);"


def test_what_django_says_too_is_said_as_django_says_it() -> None:
    """One catalogue is made of all: a text of ours would stand in the admin of a whole site."""
    theirs: dict[str, set[str]] = {}
    for path in Path(django.__file__).parent.rglob("locale/de/LC_MESSAGES/django.po"):
        for entry in polib.pofile(str(path)):
            if entry.translated() and not entry.msgctxt:
                theirs.setdefault(entry.msgid, set()).update(texts_of(entry))
    ours = [entry for app in APPS for entry in polib.pofile(str(catalogue(app)))]
    shared = [entry for entry in ours if entry.msgid in theirs]
    assert len(shared) > 5
    assert [e.msgid for e in shared if not theirs[e.msgid].issuperset(texts_of(e))] == []


def test_one_english_text_is_one_german_one() -> None:
    """Also in the other app's catalogue, where Django takes whichever comes first."""
    found: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for app in APPS:
        for entry in polib.pofile(str(catalogue(app))):
            key = (entry.msgid, entry.msgid_plural)
            found.setdefault(key, set()).add(tuple(texts_of(entry)))
    assert [key for key, texts in found.items() if len(texts) > 1] == []
