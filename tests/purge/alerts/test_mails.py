"""The mails as people read them: short plain text, whose commands can be typed as they stand."""

import re
from typing import Any

import pytest
from django.core.management import load_command_class
from django.utils import timezone

from purge.alerts.texts import BODIES, body, subject
from purge.models import Alert
from tests.zoo.factories import UnparsablePreferenceFactory

SECRET = "not a number: jo@example.com"


def alert(kind: str, **values: Any) -> Alert:
    now = timezone.now()
    given: dict[str, Any] = {"policy": "drafts", "model": "zoo.draft", "count": 2, "summary": "so"}
    if kind == "media":
        kind, given["policy"] = "blocked", ""
    return Alert(kind=kind, opened_at=now, seen_at=now, again_at=now, **given | values)


def commands(text: str) -> list[list[str]]:
    return [line.split()[1:] for line in re.findall(r"^    (manage\.py .*)$", text, re.M)]


@pytest.mark.django_db
@pytest.mark.parametrize("using", ["default", "other"])
@pytest.mark.parametrize("kind", [*BODIES])
def test_commands_can_be_typed_as_they_stand(
    kind: str, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purge.alerts.texts._names", lambda *given: (["zoo.Draft:7"], []))
    monkeypatch.setattr("purge.alerts.texts.held_deleted", lambda using: [])
    found = commands(body(alert(kind, cause="cap"), using))
    assert len(found) >= 2
    for name, *arguments in found:
        if name == "check":  # Django knows which aliases there are
            assert arguments == ["--database", using]
            continue
        app = {"purge": "purge", "lifecycle": "lifecycle"}[name]
        parser = load_command_class(app, name).create_parser("manage.py", name)
        parsed = parser.parse_args(["5" if word == "ROWS" else word for word in arguments])
        assert parsed.database == (None if using == "default" else using)


@pytest.mark.django_db
def test_mail_is_short_and_plain() -> None:
    for kind in BODIES:
        text = body(alert(kind), "default")
        assert len(text.splitlines()) <= 20
        assert max(map(len, text.splitlines())) <= 100
        assert "{" not in text
        assert len(subject(alert(kind))) <= 70


@pytest.mark.django_db(transaction=True)
def test_rows_are_named_and_no_value_of_theirs() -> None:
    from lifecycle.models import Event

    row = UnparsablePreferenceFactory(data={"days": SECRET})
    event = Event.objects.get(kind="capture_failed")
    one = alert("capture_failed", policy="preferences", model="zoo.preference", event=event.pk)
    text = body(one, "default")
    assert f"The latest: zoo.Preference:{row.pk}." in text
    assert "jo@" not in text


@pytest.mark.django_db
def test_model_that_is_gone() -> None:
    assert "policy drafts (gone.model)" in body(alert("lagging", model="gone.model"), "default")
