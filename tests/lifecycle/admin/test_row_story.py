"""The page of one row: its life as a picture, files, archives, the certificate, greyed buttons."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import hold, hooks
from lifecycle.admin import row_story
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from purge.runner import run_due
from tests.lifecycle.admin.test_admin_row import MODELS, client_of, name, page
from tests.zoo.models import Draft, Legacy, Token

pytestmark = pytest.mark.django_db(transaction=True)
CERTIFICATE = "lifecycle_row_certificate"


@pytest.fixture
def looker() -> Client:
    return client_of("view_event", *MODELS)


def test_its_life_is_drawn_and_told(looker: Client) -> None:
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    run_due()
    hold(draft, reason="a dispute")
    text = page(looker, name(draft))
    for found in ("lc-span-due", "lc-span-tombstoned", "lc-span-held", "lc-now"):
        assert found in text
    assert "drafts: live since" in text
    assert "<li>holds: held since" in text
    assert "style=" not in text


def test_numbers_of_the_picture_are_numbers_in_any_language(looker: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    run_due()
    text = page(looker, name(draft))
    assert 'viewBox="0 0 1000 20"' in text
    assert 'y="2" width="' in text
    assert not any("," in part.split('"')[0] for part in text.split(' x="')[1:])


def test_buttons_that_may_not_be_pressed_say_why(looker: Client) -> None:
    draft = Draft.objects.create(created_at=timezone.now())
    text = page(looker, name(draft))
    assert text.count(" disabled ") == 3
    assert "Needs the permission lifecycle.hold_row." in text
    assert "formaction" not in text


def test_files_are_told_without_their_names(looker: Client) -> None:
    row = Legacy.objects.create(file="secret-name.txt")
    text = page(looker, name(row))
    assert "secret-name" not in text
    Legacy.objects.filter(pk=row.pk).delete()


class TestCertificate:
    """Of a row that is gone, where its ending is published."""

    @pytest.fixture
    def gone(self) -> str:
        token = Token.objects.create(expires_at=timezone.now() - timedelta(hours=1))
        run_due()
        return name(token)

    def ask(self, client: Client, row: str) -> Any:
        return client.get(reverse(f"admin:{CERTIFICATE}"), {"row": row}, follow=True)

    def test_there_is_a_link_where_it_is_published(
        self, looker: Client, gone: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "Download the certificate" not in page(looker, gone)
        ending = Event.objects.get(kind="purged").pk
        monkeypatch.setattr(row_story, "is_published", lambda event, using: event == ending)
        assert "Download the certificate" in page(looker, gone)

    def test_it_is_a_file(self, looker: Client, gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
        acting = hooks._registered[0]
        made = hooks.ActingApp(
            acting.make_pass, acting.last_runs, certificate=lambda *row: ("a-1.tlog-proof", b"x")
        )
        monkeypatch.setattr(hooks, "_registered", [made])
        answer = self.ask(looker, gone)
        assert b"".join(answer.streaming_content) == b"x"
        assert 'filename="a-1.tlog-proof"' in answer["Content-Disposition"]

    def test_where_there_is_none_it_is_said(self, looker: Client, gone: str) -> None:
        assert "Refused: LIFECYCLE_PROOF is off" in self.ask(looker, gone).text
        assert "is no key of" in self.ask(looker, "zoo.Token:x").text

    def test_who_may_not_view_the_row_gets_none(self, gone: str) -> None:
        other = client_of("view_event", name="other")
        assert "You may not view zoo.Token" in self.ask(other, gone).text
        assert self.ask(client_of(*MODELS, name="no"), gone).status_code == 403


def test_an_error_of_the_log_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from lifecycle.proof.errors import ProofError
    from purge import acting
    from purge.certificates import make

    token = Token.objects.create(expires_at=timezone.now() - timedelta(hours=1))
    run_due()

    def broken(*given: Any) -> Any:
        raise ProofError("no key")

    monkeypatch.setattr(make, "certify", broken)
    with pytest.raises(LifecycleError, match="There is no certificate of it: no key"):
        acting.certificate(Token, str(token.pk), "default")
