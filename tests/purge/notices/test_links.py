"""The link in a notice: asks first, keeps once, for who has the mail and for nobody else.

The blocks of docs/how-to/warn-before-the-end.md are followed, too.
"""

import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from django.utils.translation import override

import lifecycle
from lifecycle.checks.notices import NOTICES
from lifecycle.compiler.policy_sql import compiled
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from lifecycle.notices import links
from lifecycle.notices.links import Link, address
from lifecycle.notices.words import in_words, shown_in
from lifecycle.policy.registry import get_policy
from purge.models import NoticeMail
from tests.clock import pass_time
from tests.infra.servers import ROOT
from tests.lifecycle.admin.browser import measured
from tests.purge.notices.conftest import DAY, YEAR, Post, go_on, guest
from tests.zoo.models import Guest

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


def path_of(post: Post) -> str:
    """The address in the last mail, as text and as HTML the same."""
    text, page = text_of(post.mails[-1]), post.mails[-1].get_body(("html",)).get_content()
    (found,) = re.findall(r"https://site\.example\S+", text)
    assert f'href="{found}"' in page
    return urlsplit(found).path


@pytest.fixture
def link(post: Post) -> str:
    guest(YEAR - 5)
    go_on()
    return path_of(post)


def restores() -> list[Event]:
    return list(Event.objects.filter(kind="restored"))


def press(address: str, client: Client | None = None) -> Any:
    """As a browser does: opens the page and presses its button; or, without one, as if it had."""
    client = client or Client(enforce_csrf_checks=True)
    page = client.get(address)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    if token is None:
        again = Client().post(address)
        assert (again.status_code, again.content) == (page.status_code, page.content)
        return again
    return client.post(
        address, {"csrfmiddlewaretoken": token[1]}, headers={"origin": origin_of(page)}
    )


def origin_of(page: Any) -> str:
    """What a browser says of the page whose form it sends: nothing, where the page forbids that."""
    return "null" if page["Referrer-Policy"] == "no-referrer" else "http://testserver"


def test_opening_it_keeps_nothing(link: str) -> None:
    client, before = Client(), Event.objects.count()
    page = client.get(link)
    assert (page.status_code, client.head(link).status_code) == (200, 200)
    assert "Keep your guest at site.example?" in page.content.decode()
    assert page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]
    for method in (client.put, client.delete, client.options):
        assert method(link).status_code == 405
    assert Event.objects.count() == before


@pytest.mark.slow
def test_the_button_keeps_it_once(link: str) -> None:
    page = press(link)
    assert "It stays." in page.content.decode()
    (event,) = restores()
    assert (event.cause, event.actor) == ("notice", "holder of the link in a notice")
    kept = datetime.fromisoformat(event.detail["until"]) - event.recorded_at
    assert timedelta(days=365) <= kept + timedelta(minutes=1) < timedelta(days=366)
    assert "Nothing to do." in press(link).content.decode()
    assert "Nothing to do." in Client().post(link).content.decode()  # said twice does no harm
    assert len(restores()) == 1
    go_on(days=40)
    assert Guest.objects.live().exists()


@pytest.mark.slow
def test_it_is_warned_again_before_that_end(link: str, post: Post) -> None:
    press(link)
    go_on(days=340)
    assert len(post.mails) == 2
    go_on(days=23)
    go_on(days=8)
    assert not Guest.objects.live().exists()


@pytest.mark.slow
def test_not_without_the_token_of_the_page(link: str) -> None:
    assert Client(enforce_csrf_checks=True).post(link).status_code == 403
    assert not restores()


@pytest.mark.slow
def test_who_is_logged_in_is_named(link: str) -> None:
    user, client = get_user_model().objects.create_user("jo"), Client()
    client.force_login(user)
    client.post(link)
    assert [event.actor for event in restores()] == [f"demo.User:{user.pk}"]


@pytest.mark.slow
def test_of_no_other_row(link: str) -> None:
    other = guest(YEAR - 5)
    payload, *signed = link.rsplit("/", 1)[1].split(":")
    told = signing.loads(":".join([payload, *signed]), salt=links.SALT)
    told[1] = str(other.pk)
    forged = signing.dumps(told, salt=links.SALT, compress=True).split(":")[0]
    elsewhere = signing.dumps(told, salt="another")
    for token in (":".join([forged, *signed]), elsewhere, link[-9:], "x", "x:y:z"):
        assert press(f"/keep/{token}").status_code == 404, token
    assert not restores()


@pytest.mark.slow
@pytest.mark.parametrize(
    "told", [{"policy": "gone"}, {"policy": "tokens"}, {"using": "elsewhere"}, {"policy": "logins"}]
)
def test_of_no_other_policy_or_database(link: str, told: dict[str, str]) -> None:
    now = timezone.now()
    own = {"policy": "guests", "key": "1", "using": "default"} | told
    given = urlsplit(address(Link(**own, ends=now, until=now + DAY))).path
    assert press(given).status_code == 404


@pytest.mark.parametrize(
    "said", [None, [], ["guests"], {"a": 1}, ["guests", "1", "default", "x", "y"]]
)
def test_what_is_signed_and_is_no_link(said: Any) -> None:
    assert Client().get(f"/keep/{signing.dumps(said, salt=links.SALT)}").status_code == 404


@pytest.mark.slow
def test_too_late(link: str) -> None:
    pass_time(days=31)  # what the link says does not grow older: so does one that is good for less
    row, now = Guest.objects.get(), timezone.now()
    old = urlsplit(address(Link("guests", str(row.pk), "default", now + DAY, now - DAY))).path
    assert press(old).status_code == 410
    row.delete()
    page = press(link)
    assert (page.status_code, "too late" in page.content.decode()) == (410, True)
    assert not restores()


@pytest.mark.slow
def test_what_a_named_person_ended_is_not_kept_by_it(link: str) -> None:
    """Nor is it promised: the mail is about another end than theirs."""
    lifecycle.expire_now(Guest.objects.get())
    page = press(link)
    assert (page.status_code, "too late" in page.content.decode()) == (410, True)
    go_on()  # tombstoned, and in its grace
    assert press(link).status_code == 410
    assert not restores()
    go_on(hours=2)
    assert not Guest.objects.exists()


@pytest.mark.slow
def test_after_a_sign_in_there_is_nothing_to_do(link: str) -> None:
    Guest.objects.update(seen_at=timezone.now())
    assert "Nothing to do." in press(link).content.decode()
    assert not restores()


@pytest.mark.slow
def test_the_sites_own_way(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notice: Any = get_policy("guests").notice
    monkeypatch.setattr(notice, "keep", lambda row: None)
    with pytest.raises(LifecycleError, match="moves no end"):
        Client().post(link)

    def sign_in(row: Guest) -> None:
        Guest.objects.filter(pk=row.pk).update(seen_at=timezone.now())

    monkeypatch.setattr(notice, "keep", sign_in)
    assert "It stays." in press(link).content.decode()
    event = Event.objects.filter(kind="expiry_scheduled").latest("pk")
    assert (event.cause, restores()) == ("notice", [])
    assert "Nothing to do." in press(link).content.decode()


def test_no_mail_has_a_link_that_leads_nowhere(post: Post, settings: Any) -> None:
    settings.LIFECYCLE_NOTICE_URL = ""
    guest(YEAR - 5)
    go_on()
    assert (post.mails, NoticeMail.objects.get().error) == ([], "ImproperlyConfigured")


def test_after_the_policy_was_renamed(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails of before have its former name."""
    row, now = Guest.objects.get(), timezone.now()
    own = get_policy("guests")
    old = Link("visitors", str(row.pk), "default", now + 300 * DAY, now + 300 * DAY)
    given = urlsplit(address(old)).path
    assert press(given).status_code == 404
    monkeypatch.setattr(own, "previously", "visitors")
    assert "It stays." in press(given).content.decode()
    assert [event.policy for event in restores()] == ["guests"]


def test_without_a_link(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("guests").notice, "keep", None)
    guest(YEAR - 5)
    go_on()
    assert "https://" not in text_of(post.mails[0])


@pytest.mark.parametrize(
    ("values", "date"),
    [
        ({}, "March 1, 2027"),
        ({"language": "de", "zone": "Europe/Berlin"}, "2. März 2027"),
        ({"zone": "Pacific/Auckland"}, "March 2, 2027"),
        ({"zone": "No/Where", "language": "xx"}, "March 1, 2027"),
    ],
)
def test_dates_are_the_readers(values: dict[str, str], date: str) -> None:
    """Half past eleven in the evening of UTC is the next day in Berlin."""
    with override("fr"), ExitStack() as seen:
        zone = shown_in(seen, values.get("language", ""), values.get("zone", ""))
        said = in_words(get_policy("guests"), datetime(2027, 3, 1, 23, 30, tzinfo=UTC), zone)
        assert said["date"] == date


def test_a_mail_in_the_readers_language(post: Post) -> None:
    guest(YEAR - 5, language="de", zone="Europe/Berlin")
    go_on()
    page = Client().get(path_of(post)).content.decode()
    assert '<html lang="de">' in page
    assert re.search(r"\d+\. \w+ 20\d\d", text_of(post.mails[0]))


def test_the_sites_own_words(post: Post, settings: Any, tmp_path: Path) -> None:
    own = tmp_path / "lifecycle/notice"
    (own / "guests").mkdir(parents=True)
    (own / "guests/subject.txt").write_text("Bye & bye,\n{{ row }}: {{ number }} of {{ of }}")
    (own / "mail.txt").write_text("{{ policy }} {{ link }}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    guest(YEAR - 5)
    go_on()
    assert post.subjects == ["Bye & bye, Jo: 1 of 2"]
    assert text_of(post.mails[0]).startswith("guests https://site.example/keep/")


def test_the_guide_is_as_it_says(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []
    monkeypatch.setattr(lifecycle, "register", found.append, raising=False)
    page = (ROOT / "docs/how-to/warn-before-the-end.md").read_text("utf-8")
    site: dict[str, Any] = {"path": path, "include": include}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block.replace("django.contrib.auth.models", "demo.models"), site)
    (policy,) = found
    assert compiled(policy).state_sql.count("ARRAY[2592000.000000,604800.000000]") == 1
    settings.LIFECYCLE_NOTICE_URL = site["LIFECYCLE_NOTICE_URL"]
    assert [message for check in NOTICES for message in check(policy)] == []
    assert site["notice"].longest == timedelta(days=60)


@pytest.mark.slow
def test_no_wider_than_a_phone(link: str) -> None:
    client = Client()
    pages = [client.get(link), press(link), client.get(link), client.get("/keep/x")]
    for found in measured([page.content.decode() for page in pages], 390, "button"):
        assert found["wide"] <= 390
        assert all(0 <= each["left"] < each["right"] <= 390 for each in found["found"])
