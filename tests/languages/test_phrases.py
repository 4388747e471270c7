"""Phrases: English wherever they are kept, the viewer's where they are shown."""

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.template import engines
from django.utils import timezone
from django.utils.translation import override

from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.phrases import (
    any_of,
    at,
    counted,
    cut,
    figure,
    joined,
    lasting,
    locally,
    number,
    on,
    padded,
    phrase,
    to_the_minute,
    to_the_second,
    translated,
    without_stop,
    word,
)
from lifecycle.printable import visible

MOMENT = datetime(2030, 12, 31, 23, 5, 6, tzinfo=UTC)
CAUSE = phrase("%(row)s is not in the database.", row="zoo.Draft:7")
SAYS = (
    (CAUSE, "zoo.Draft:7 is not in the database.", "zoo.Draft:7 ist nicht in der Datenbank."),
    (counted("%(count)s day", "%(count)s days", 1), "1 day", "1 Tag"),
    (counted("%(count)s day", "%(count)s days", 2), "2 days", "2 Tage"),
    (number(1234567), "1,234,567", "1.234.567"),
    (figure("12.5"), "12.5", "12,5"),
    (at(MOMENT), "2030-12-31 23:05:06 UTC", "31.12.2030 23:05:06 UTC"),
    (to_the_minute(MOMENT), "2030-12-31 23:05 UTC", "31.12.2030 23:05 UTC"),
    (locally(MOMENT), "2030-12-31 23:05:06", "31.12.2030 23:05:06"),
    (on(date(2030, 12, 31)), "2030-12-31", "31.12.2030"),
    (lasting(timedelta(days=1, hours=2)), "1 day, 2:00:00", "1 Tag, 2:00:00"),
    (lasting(timedelta(days=3)), "3 days, 0:00:00", "3 Tage, 0:00:00"),
    (lasting(timedelta(minutes=5)), "0:05:00", "0:05:00"),
    (word("held"), "held", "gesperrt"),
    (word(""), "", ""),
    (phrase(""), "", ""),
    (joined("; ", [word("held"), "x"]), "held; x", "gesperrt; x"),
    (any_of([word("held"), word("live")]), "held or live", "gesperrt oder im Bestand"),
    (without_stop(phrase("All rows.")), "All rows", "Alle Datensätze"),
    (padded(word("held"), 9), "held     ", "gesperrt "),
    (cut(phrase("All rows."), 4), "All ...", "Alle..."),
    (visible(phrase("by %(actor)s", actor="a\nb")), "by a\\u000ab", "durch a\\u000ab"),
)  # fmt: skip


@pytest.mark.parametrize(("words", "english", "german"), SAYS)
def test_english_as_text_and_german_where_it_is_shown(
    words: Any, english: str, german: str
) -> None:
    with override("de"):
        assert (f"{words}", words == english, hash(words) == hash(english)) == (english, True, True)
        assert json.loads(json.dumps([words])) == [english]
        assert translated(words) == german
        assert shown(words) == german
    assert translated(words) == english


def shown(words: Any) -> str:
    return engines["django"].from_string("{{ words }}").render({"words": words})


def test_what_others_have_written_is_escaped() -> None:
    nasty = phrase("by %(actor)s", actor="<script>")
    with override("de"):
        assert shown(nasty) == "durch &lt;script&gt;"
        assert shown(joined(": ", [nasty, "<b>"])) == "durch &lt;script&gt;: &lt;b&gt;"


def test_a_code_is_its_word_where_it_is_shown() -> None:
    code = word("expired_by_hand")
    assert (f"{code}", translated(code)) == ("expired_by_hand", "expired by hand")
    with override("de"):
        assert (f"{code}", translated(code)) == ("expired_by_hand", "von Hand beendet")


def test_percent_signs_stay() -> None:
    assert phrase("50 %") == "50 %"
    assert phrase("%(percent)s %%", percent=7) == "7 %"
    with override("de"):
        assert translated(phrase("by %(actor)s", actor="100 %")) == "durch 100 %"


def test_a_catalogue_that_is_wrong_breaks_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.phrases.sentences.gettext", lambda text: "%(nobody)s %")
    assert translated(CAUSE) == "zoo.Draft:7 is not in the database."


def test_an_error_says_it_too() -> None:
    error = RowMissing(CAUSE)
    assert str(error) == str(CAUSE)
    with override("de"):
        assert translated(error) == "zoo.Draft:7 ist nicht in der Datenbank."
        assert translated(LifecycleError()) == "The lifecycle engine refused."
        assert translated(ValueError()) == ""


def test_copies_say_the_same() -> None:
    for copied in (copy.deepcopy(CAUSE), pickle.loads(pickle.dumps(CAUSE)), str(CAUSE)):
        with override("de"):
            assert translated(copied) == "zoo.Draft:7 ist nicht in der Datenbank."


@pytest.mark.django_db
def test_english_goes_into_the_database() -> None:
    with override("de"), connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", [CAUSE])
        assert cursor.fetchone() == (f"{CAUSE}",)


def test_times_are_of_the_viewers_zone() -> None:
    with override("de"), timezone.override("Europe/Berlin"):
        assert translated(at(MOMENT)) == "01.01.2031 00:05:06 CET"
        assert to_the_second(MOMENT) == "01.01.2031 00:05:06"
        assert f"{at(MOMENT)}" == "2030-12-31 23:05:06 UTC"
    assert to_the_second(None) == "-"


def test_numbers_of_something_are_not_grouped(settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    with override("de"):
        assert translated(phrase("event %(event)s", event=12345)) == "Ereignis 12345"
        assert translated(counted("%(count)s day", "%(count)s days", 12345)) == "12.345 Tage"
    settings.USE_I18N = False
    assert translated(number(12345)) == "12,345"
