"""What support does in the admin: find a row, read its story, hold, release, restore; pause."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from demo.models import User
from lifecycle import hold
from lifecycle.admin.row_actions import ROW_ACTIONS
from lifecycle.db.connection import fetch
from lifecycle.insight import search as finding
from lifecycle.ledger.holds import hold_rows
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from purge.models import Run
from purge.runner import run_due
from tests.lifecycle.admin.test_admin import NASTY, SHOWN, url
from tests.support import let_pass, session
from tests.zoo.models import Coupon, Draft, Legacy, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
ROW = "restore_row", "hold_row", "release_row"
MODELS = tuple(f"view_{name}" for name in ("draft", "token", "coupon", "ticket", "legacy", "group"))


def client_of(*permissions: str, name: str = "jo") -> Client:
    """A member of the staff with these permissions."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def support() -> Client:
    looks = [f"view_{model._meta.model_name}" for model in SHOWN]
    return client_of(*looks, *ROW, *MODELS, "pause_policy", "resume_policy")


@pytest.fixture
def draft() -> Draft:
    """Tombstoned, in its grace."""
    row = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    run_due()
    return row


def page(client: Client, row: str, **more: Any) -> str:
    return client.get(reverse("admin:lifecycle_row"), {"row": row, **more}).text


def queries(client: Client, path: str) -> int:
    """How many queries a page asks."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def press(client: Client, action: str, row: str, **given: str) -> Any:
    """Open the form of a button and send it."""
    address = f"{reverse('admin:lifecycle_row_action', args=[action])}?row={row}"
    assert client.get(address).status_code in (200, 302, 403)
    return client.post(address, given, follow=True)


def name(row: Any) -> str:
    return f"{row._meta.label}:{row.pk}"


class TestStory:
    def test_of_a_row(self, support: Client, draft: Draft) -> None:
        hold(draft, reason="a dispute", reference="T-7")
        text = page(support, name(draft))
        assert "The row is in the database." in text
        for found in (
            "expiry scheduled",
            "tombstoned",
            "hold placed",
            "a dispute",
            "T-7",
            "drafts",
        ):
            assert found in text
        assert text.count("formaction=") == 3
        assert "is past its end, and held (hold" in text

    def test_of_a_row_that_is_gone(self, support: Client) -> None:
        token = Token.objects.create(expires_at=timezone.now() - timedelta(hours=1))
        run_due()
        text = page(support, name(token))
        assert "The row is not in the database." in text
        assert "purged" in text
        assert "formaction" not in text

    def test_of_a_row_that_nobody_tracks(self, support: Client) -> None:
        group = Group.objects.create(name="jo")
        text = page(support, f"auth.Group:{group.pk}")
        assert "No policy is on its table." in text
        assert "What each policy" not in text
        assert "<p>None.</p>" in text

    def test_what_names_no_row(self, support: Client) -> None:
        for asked, said in {
            "zoo.Draft": "write app.Model:pk",
            "zoo.Nothing:1": "There is no model",
            "zoo.Draft:x": "is no key of zoo.Draft",
            f"zoo.Draft:{2**70}": "cannot be a key of zoo.draft",
            f"zoo.Draft:{NASTY}": "&lt;script&gt;",
        }.items():
            text = page(support, asked)
            assert said in text
            assert NASTY not in text

    def test_text_keys_and_values_are_text(self, support: Client) -> None:
        Coupon.objects.create(code=NASTY, expires_at=timezone.now() + timedelta(days=1))
        hold(Coupon.objects.get(), reason=NASTY, reference=NASTY)
        text = page(support, f"zoo.Coupon:{NASTY}")
        assert "hold placed" in text
        assert NASTY not in text
        assert press(support, "release", f"zoo.Coupon:{NASTY}").status_code == 200

    @pytest.mark.parametrize("model", [Token, Ticket, Coupon])
    def test_every_kind_of_key_also_through_a_shared_set(self, model: Any) -> None:
        past = timezone.now() - timedelta(hours=1)
        keys = {"code": "a"} if model is Coupon else {}
        row = model.objects.create(expires_at=past, **keys)
        others = [{"code": f"b{n}"} if model is Coupon else {} for n in range(5)]
        model.objects.bulk_create(model(expires_at=past, **each) for each in others)
        last = model.objects.order_by("pk").last()
        found = [finding.events_about(model, str(each.pk)).events for each in (row, last)]
        entries = [finding.entries_about(model, str(each.pk)) for each in (row, last)]
        assert [len(each) for each in found] == [1, 1]
        assert entries == found
        run_due()
        found = [finding.events_about(model, str(each.pk)).events for each in (row, last)]
        kinds = [Event.objects.in_bulk(each) for each in found]
        assert [{e.kind for e in each.values()} for each in kinds] == [
            {"expiry_scheduled", "purged"},
            {"expiry_scheduled", "purged"},
        ]
        assert finding.entries_about(model, str(row.pk)) == []

    def test_goes_back_a_piece_at_a_time(
        self, support: Client, draft: Draft, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = finding.events_about(Draft, str(draft.pk)).events[-1]
        Token.objects.bulk_create(Token(expires_at=None) for _ in range(3))
        for _ in range(9):
            Token.objects.create(expires_at=timezone.now() + timedelta(days=1))
        monkeypatch.setattr(finding, "PIECE", 4)
        everything = finding.events_about(Draft, str(draft.pk))
        # It is the oldest; below it there may be very many numbers of earlier tests.
        assert (everything.events[-1], everything.reached < first) == (first, True)
        none = finding.events_about(Draft, str(draft.pk), patience=-1)
        assert none.events == []
        assert none.reached > 1
        monkeypatch.setattr(finding, "SHOWN", 1)
        newest = finding.events_about(Draft, str(draft.pk))
        assert len(newest.events) == 1
        assert f"before number {newest.reached} were not looked at" in page(support, name(draft))
        older = finding.events_about(Draft, str(draft.pk), before=newest.reached)
        assert older.events == everything.events[1:2]
        text = page(support, name(draft), before=newest.reached)
        assert f">{older.events[0]}</a>" in text

    def test_an_agenda_that_takes_too_long(
        self, support: Client, draft: Draft, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with session() as other:
            other.execute("LOCK TABLE ONLY lifecycle_agenda")
            monkeypatch.setattr(finding, "PATIENCE", 0.2)
            assert finding.entries_about(Draft, str(draft.pk)) is None


def keys_of(rows: Any) -> set[Any]:
    """The keys that a queryset finds."""
    return set(rows.values_list("pk", flat=True))


class TestSearch:
    def test_lists_what_is_about_the_row(self, support: Client, draft: Draft) -> None:
        hold(draft)
        Draft.objects.create(created_at=timezone.now())
        Ticket.objects.create(expires_at=timezone.now() - timedelta(hours=1))
        run_due()
        about = finding.events_about(Draft, str(draft.pk)).events
        expected = {
            Event: set(about),
            AgendaEntry: keys_of(AgendaEntry.objects.filter(event__in=about)),
            RowException: keys_of(RowException.objects.all()),
            PolicyState: {"drafts"},
            Run: keys_of(Run.objects.filter(policy="drafts")),
        }
        for model in SHOWN:
            found = support.get(url(model, "changelist"), {"q": name(draft)})
            assert keys_of(found.context["cl"].queryset) == expected[model] != set()

    def test_what_names_no_row_finds_nothing_and_says_why(
        self, support: Client, draft: Draft
    ) -> None:
        for model in SHOWN:
            found = support.get(url(model, "changelist"), {"q": "zoo.Drift:1"})
            assert "There is no model" in found.text
            assert not found.context["cl"].queryset.exists()

    def test_policies_by_name(self, support: Client) -> None:
        found = support.get(url(PolicyState, "changelist"), {"q": "token"})
        names = list(found.context["cl"].queryset.values_list("name", flat=True))
        assert {"tokens", "tokens-short"} <= set(names)
        assert all("token" in name for name in names)

    def test_a_search_that_has_not_seen_everything_says_so(
        self, support: Client, draft: Draft, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finding, "SHOWN", 1)
        for model in (Event, Run):
            found = support.get(url(model, "changelist"), {"q": name(draft)})
            assert "were not looked at" in found.text


class TestDeeds:
    def test_hold_and_release(self, support: Client, draft: Draft) -> None:
        until = timezone.now() + timedelta(days=9)
        given = {"reason": "a dispute", "reference": "T-7", "until": f"{until:%Y-%m-%d %H:%M:%S}"}
        done = press(support, "hold", name(draft), **given)
        assert f"Held: {name(draft)}." in done.text
        held = Event.objects.latest("id")
        assert (held.kind, held.actor, held.cause) == ("hold_placed", "jo", "admin")
        assert (held.subjects, held.detail["reason"]) == ([str(draft.pk)], "a dispute")
        let_pass(timedelta(hours=2))
        run_due()
        assert Draft.objects.exists()
        assert "Released: " in press(support, "release", name(draft)).text
        released = Event.objects.filter(kind="hold_released").get()
        assert (released.actor, released.cause) == ("jo", "admin")
        run_due()
        let_pass(timedelta(hours=2))
        run_due()
        assert not Draft.objects.exists()

    def test_restore(self, support: Client, draft: Draft) -> None:
        assert "Restored: " in press(support, "restore", name(draft), policy="drafts").text
        told = Event.objects.latest("id")
        assert (told.kind, told.policy, told.actor) == ("restored", "drafts", "jo")
        let_pass(timedelta(hours=2))
        run_due()
        assert Draft.objects.exists()

    def test_refused(self, support: Client, draft: Draft) -> None:
        before = Event.objects.count()
        wrong: list[tuple[str, dict[str, str], str]] = [
            ("hold", {}, "This field is required."),
            ("hold", {"reason": "x", "until": "2001-01-01"}, "This date has passed."),
            ("hold", {"reason": "x", "until": "soon"}, "Enter a valid date/time."),
            ("restore", {"policy": "tokens"}, "is not one of the available choices"),
            ("release", {}, "There is no hold on"),
        ]
        for action, given, said in wrong:
            assert said in press(support, action, name(draft), **given).text
        for action in ROW_ACTIONS:
            text = press(support, action, "zoo.Draft:99", reason="x").text
            assert "zoo.Draft:99 is not in the database." in text
        assert Event.objects.count() == before

    def test_no_such_button(self, support: Client, draft: Draft) -> None:
        address = reverse("admin:lifecycle_row_action", args=["purge"])
        assert support.get(address, {"row": name(draft)}).status_code == 404

    @pytest.mark.slow
    def test_each_has_its_permission(self, draft: Draft) -> None:
        hold(draft)
        for action in ROW_ACTIONS:
            others = [each for each in ROW if not each.startswith(action)]
            without = client_of("view_event", "view_draft", *others, name=f"not {action}")
            before = Event.objects.count()
            button = reverse("admin:lifecycle_row_action", args=[action])
            assert button not in page(without, name(draft))
            assert press(without, action, name(draft), reason="x").status_code == 403
            assert Event.objects.count() == before
            allowed = client_of("view_event", "view_draft", f"{action}_row", name=action)
            assert button in page(allowed, name(draft))
            assert press(allowed, action, name(draft), reason="x").status_code == 200
            assert Event.objects.filter(actor=action).exists()

    def test_looking_needs_the_ledgers_permission(self, draft: Draft) -> None:
        for known in ((), ROW):
            client = client_of(*known, name=f"{len(known)}")
            found = client.get(reverse("admin:lifecycle_row"), {"row": name(draft)})
            assert found.status_code == 403
            assert press(client, "hold", name(draft), reason="x").status_code == 403

    def test_forged_requests_are_refused(self, support: Client, draft: Draft) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(User.objects.get(username="jo"))
        for action in ROW_ACTIONS:
            address = f"{reverse('admin:lifecycle_row_action', args=[action])}?row={name(draft)}"
            assert strict.post(address, {"reason": "x"}).status_code == 403
            assert "csrfmiddlewaretoken" in strict.get(address).text

    def test_a_stranger_is_sent_to_the_login(self, draft: Draft) -> None:
        found = Client().get(reverse("admin:lifecycle_row"), {"row": name(draft)})
        assert (found.status_code, "login" in found["Location"]) == (302, True)


def choose(client: Client, model: type[Any], action: str, *rows: Any) -> Any:
    """Tick rows of a list and run an action on them."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(url(model, "changelist"), chosen, follow=True)


class TestLists:
    def test_release_one_row_of_many(self, support: Client) -> None:
        Ticket.objects.bulk_create(Ticket() for _ in range(3))
        hold_rows(Ticket.objects.all())
        hold("coupons")
        one = RowException.objects.filter(model="zoo.ticket").first()
        text = choose(support, RowException, "release_exceptions", one).text
        assert "Released: " in text
        assert RowException.objects.filter(model="zoo.ticket").count() == 2
        whole = RowException.objects.get(policy="coupons")
        choose(support, RowException, "release_exceptions", whole)
        assert not RowException.objects.filter(policy="coupons").exists()
        actors = Event.objects.filter(kind="hold_released").values_list("actor", flat=True)
        assert list(actors) == ["jo", "jo"]

    def test_release_says_what_it_cannot(self, support: Client, draft: Draft) -> None:
        support.post(f"{reverse('admin:lifecycle_row_action', args=['restore'])}?row={name(draft)}")
        restored = RowException.objects.get(kind="restored")
        text = choose(support, RowException, "release_exceptions", restored).text
        assert "is no hold." in text
        row = Legacy.objects.create()
        hold(row)
        fetch("default", "DELETE FROM zoo_legacy")
        held = RowException.objects.get(kind="hold")
        text = choose(support, RowException, "release_exceptions", held).text
        assert "is not in the database." in text

    def test_pause_and_resume(self, support: Client) -> None:
        states = [PolicyState.objects.get(name=name) for name in ("drafts", "tokens")]
        text = choose(support, PolicyState, "pause", *states).text
        assert "Paused: drafts." in text
        assert "Paused: tokens." in text
        assert "is paused, not enabled" in choose(support, PolicyState, "pause", states[0]).text
        assert "Resumed: drafts." in choose(support, PolicyState, "resume", *states).text
        told = Event.objects.filter(policy="drafts", actor="jo").order_by("id")
        assert [(each.kind, each.detail["state"]) for each in told] == [
            ("policy_changed", "paused"),
            ("resumed", "enabled"),
        ]

    def test_what_a_brake_has_stopped_is_resumed_alone(
        self, support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from tests.lifecycle.management.test_commands import cap, due

        cap("tickets", 1, monkeypatch)
        due(2)
        run_due()
        states = [PolicyState.objects.get(name=name) for name in ("tickets", "tokens")]
        text = choose(support, PolicyState, "resume", *states).text
        assert "look at it and resume it alone" in text
        assert "Resumed: tickets." in choose(support, PolicyState, "resume", states[0]).text

    @pytest.mark.slow
    def test_each_action_has_its_permission(self, draft: Draft) -> None:
        hold(draft)
        every = {*ROW, "pause_policy", "resume_policy"}
        for model, action, permission in (
            (PolicyState, "pause", "pause_policy"),
            (PolicyState, "resume", "resume_policy"),
            (RowException, "release_exceptions", "release_row"),
        ):
            view = f"view_{model._meta.model_name}"
            without = client_of(view, "view_draft", *(every - {permission}), name=f"not {action}")
            before = Event.objects.count()  # the session of the client is recorded too
            choose(without, model, action, model._default_manager.first())
            assert f'value="{action}"' not in without.get(url(model, "changelist")).text
            assert Event.objects.count() == before
            allowed = client_of(view, "view_draft", permission, name=action)
            assert f'value="{action}"' in allowed.get(url(model, "changelist")).text
