"""The life of a row of each package, by the package's own API; runs inside the project.

Each begins with rows that live and rows that end, and asks again days later. What time does to one
row it does to all: `clock.pass_time` makes every column of the database older.
"""

import base64
import hashlib
import json
import sys
import traceback
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from lifecycle.models import Event
from purge.runner import run_due
from tests import clock

clock.PREFIXES = ("",)  # every table
VERIFIER = "v" * 64
begin = 0  # the last event before the life


def days_later(days: int) -> None:
    """Time passes, and the worker works. Whole days: windows stay windows."""
    clock.pass_time(days=days)
    run_due()


def user(name: str, **fields: Any) -> Any:
    """A user who was here once: those who never were are a case of their own."""
    here = {"email": f"{name}@example.com", "last_login": timezone.now()}
    return get_user_model().objects.create_user(name, **here | fields)


def ended(policy: str) -> int:
    """How many rows of a policy were purged in this life, as the ledger has it."""
    told = Event.objects.filter(pk__gt=begin, kind="purged", policy=policy)
    return sum(told.values_list("count", flat=True))


def sessions() -> None:
    client = Client()
    client.force_login(user("sam"))
    session = client.session
    session.set_expiry(timedelta(days=2))
    session.save()
    days_later(1)
    assert "_auth_user_id" in client.session
    client.session.set_expiry(timedelta(days=9))
    again = client.session
    again.set_expiry(timedelta(days=4))  # the expiry moves, and the end with it
    again.save()
    days_later(2)
    assert client.session.exists(session.session_key)
    assert ended("expired-sessions") == 0
    days_later(3)
    assert not client.session.exists(session.session_key)
    assert ended("expired-sessions") == 1
    about = Event.objects.filter(model="sessions.session")
    assert not [event for event in about if event.subjects]  # the keys are secrets


def admin_log() -> None:
    from django.contrib.admin.models import ADDITION, LogEntry

    sam = user("adam")
    LogEntry.objects.log_actions(sam.pk, [sam], ADDITION, "made")
    days_later(364)
    assert LogEntry.objects.count() == 1
    LogEntry.objects.log_actions(sam.pk, [sam], ADDITION, "later")
    days_later(2)
    assert LogEntry.objects.get().change_message == "later"
    assert ended("old-admin-log-entries") == 1


def sign_up(name: str) -> str:
    """By the package's form; the link of its mail."""
    from django.core import mail

    given = {"username": name, "email": f"{name}@example.com"}
    given |= {"password1": "correct-horse-7", "password2": "correct-horse-7"}
    answer = Client().post("/accounts/signup/", given)
    assert answer.status_code == 302, answer.content
    words = mail.outbox[-1].body.split()
    return next(word for word in words if "confirm-email" in word)


def allauth() -> None:
    from django.core import mail
    from django.test.utils import setup_test_environment

    setup_test_environment(debug=False)
    mail.outbox = []
    links = {name: sign_up(name) for name in ("early", "late", "never")}

    def left() -> list[str]:
        found = get_user_model().objects.filter(username__in=[*links, "staff"])
        return sorted(found.values_list("username", flat=True))

    user("staff", is_staff=True, last_login=None)
    Client().post(links["early"])
    days_later(8)
    assert Event.objects.filter(kind="tombstoned", policy="unverified-users").exists()
    Client().post(links["late"])  # within the grace
    days_later(2)
    assert left() == ["early", "late", "staff"]
    assert ended("unverified-users") == 1
    sign_up("never")  # the name and the address are free again
    days_later(60)
    days_later(2)
    assert left() == ["early", "late", "staff"]


def simplejwt() -> None:
    from rest_framework_simplejwt.exceptions import TokenError
    from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
    from rest_framework_simplejwt.tokens import RefreshToken

    tokens = [RefreshToken.for_user(user(f"jwt-{n}")) for n in range(2)]
    tokens[0].blacklist()
    with pytest.raises(TokenError, match="blacklisted"):
        RefreshToken(str(tokens[0]))
    days_later(1)
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (2, 1)
    days_later(2)
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (0, 0)
    assert ended("expired-tokens") == 2


def oauth2() -> None:
    from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken

    owner, browser = user("olga"), Client()
    app = Application.objects.create(
        name="app", user=owner, client_type="confidential", skip_authorization=True,
        authorization_grant_type="authorization-code", redirect_uris="https://example.com/back",
        client_secret="secret", hash_client_secret=False,
    )  # fmt: skip
    browser.force_login(owner)
    digest = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()
    asks = {"response_type": "code", "client_id": app.client_id}
    asks |= {"code_challenge": digest.rstrip("="), "code_challenge_method": "S256"}
    given = {"client_id": app.client_id, "client_secret": "secret"}
    redirect = {"redirect_uri": app.redirect_uris}

    def code() -> dict[str, str]:
        answer = browser.get("/o/authorize/", asks | redirect)
        found = parse_qs(urlsplit(answer["Location"]).query)
        return redirect | {"code": found["code"][0], "code_verifier": VERIFIER}

    def token(kind: str, **how: str) -> dict[str, Any]:
        answer = Client().post("/o/token/", given | {"grant_type": kind} | how)
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    used, dormant = token("authorization_code", **code()), token("authorization_code", **code())
    code()  # nobody fetches a token with it
    assert Grant.objects.count() == 1
    days_later(1)
    assert not Grant.objects.exists()
    assert AccessToken.objects.count() == 2  # expired, and their refresh tokens live
    used = token("refresh_token", refresh_token=used["refresh_token"])
    assert RefreshToken.objects.filter(revoked__isnull=False).count() == 1
    days_later(60)
    assert RefreshToken.objects.count() == 2
    used = token("refresh_token", refresh_token=used["refresh_token"])
    days_later(40)
    alone = RefreshToken.objects.get()  # of the dormant one nothing is left
    assert dormant["refresh_token"] != alone.token == used["refresh_token"]
    days_later(2)
    assert AccessToken.objects.get() == alone.access_token
    Client().post("/o/revoke_token/", given | {"token": used["refresh_token"]})
    days_later(31)
    assert not RefreshToken.objects.exists()
    assert not AccessToken.objects.exists()
    assert ended("oauth2-dormant-refresh-tokens") == 1
    assert ended("oauth2-revoked-refresh-tokens") == 3


def auditlog() -> None:
    from auditlog.models import LogEntry
    from auditlog.registry import auditlog as log
    from django.contrib.auth.models import Group

    log.register(Group)
    group = Group.objects.create(name="readers")
    days_later(300)
    group.name = "writers"
    group.save()
    assert LogEntry.objects.get_for_object(group).count() == 2
    days_later(66)
    (entry,) = LogEntry.objects.get_for_object(group)
    assert entry.changes["name"] == ["readers", "writers"]
    assert ended("old-audit-log-entries") == 1


def by_tenant() -> None:
    from shop.models import Call, Tenant, Ticket

    span = {days: timedelta(days=days) for days in (30, 60, 90)}
    short, long = (Tenant.objects.create(name=f"{n}", retention=span[n]) for n in (30, 90))
    now = timezone.now()
    for tenant in (short, long):
        Ticket.objects.create(tenant=tenant, closed_at=now)
        Call.objects.create(tenant=tenant, ended_at=now, retention=tenant.retention)
    Ticket.objects.create(tenant=short)

    def left() -> tuple[int, int]:
        return Ticket.objects.exclude(closed_at=None).count(), Call.objects.count()

    days_later(29)
    assert left() == (2, 2)
    days_later(2)
    assert left() == (1, 1)
    assert {*Ticket.objects.values_list("tenant__name", flat=True)} == {"30", "90"}
    long.choose(span[60])
    days_later(28)
    assert left() == (1, 1)
    days_later(2)
    assert left() == (0, 0)
    assert (ended("tickets"), ended("calls"), Ticket.objects.count()) == (2, 2, 1)


def main(names: list[str], module: str = "tests.lifecycle.scaffolds.lives") -> None:
    """Each life of a module, in order; what went wrong with each, as JSON on the last line."""
    here, lives, told = import_module("tests.lifecycle.scaffolds.lives"), import_module(module), {}
    for name in names:
        here.begin = Event.objects.order_by("pk").values_list("pk", flat=True).last() or 0  # type: ignore[attr-defined]
        try:
            getattr(lives, name.replace("-", "_"))()
            told[name] = ""
        except BaseException:
            told[name] = traceback.format_exc()
    sys.stdout.write("\n" + json.dumps(told) + "\n")
