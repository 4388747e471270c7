"""Who may read the metrics: nobody by default, and nobody by mistake."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from django.test import Client
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open

from lifecycle.checks.metrics import check_metrics
from lifecycle.checks.settings import reads_settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(f"{__package__}.urls")]
TOKEN = "a token of more than sixteen"


def asked(path: str = "/metrics", token: str = "", **headers: str) -> Any:
    sent = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
    return Client(raise_request_exception=False).get(path, **sent, **headers)


def test_without_a_token_nobody_is_let_in() -> None:
    for token in ("", "None", TOKEN):
        refused = asked(token=token)
        assert refused.status_code == 401
        assert refused["WWW-Authenticate"].startswith("Bearer")
        assert b"lifecycle_" not in refused.content
        assert refused["Cache-Control"].startswith("max-age=0")


def test_with_a_token(settings: Any) -> None:
    settings.LIFECYCLE_METRICS_TOKEN = TOKEN
    assert asked(token=TOKEN).status_code == 200
    assert b'lifecycle_up{database="default"} 1.0' in asked(token=TOKEN).content
    assert asked(HTTP_AUTHORIZATION=f"bearer {TOKEN}").status_code == 200
    for wrong in (TOKEN[:-1], TOKEN + "x", "caf\xe9", " "):
        assert asked(token=wrong).status_code == 401
    assert asked(HTTP_AUTHORIZATION=f"Basic {TOKEN}").status_code == 401
    assert asked().status_code == 401
    assert Client().post("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 405


@pytest.mark.parametrize(
    ("staff", "allowed", "status"),
    [(True, True, 200), (True, False, 401), (False, True, 401), (False, False, 401)],
)
def test_staff_who_may_view_policies(staff: bool, allowed: bool, status: int) -> None:
    user = get_user_model().objects.create_user("someone@example.com", is_staff=staff)
    if allowed:
        user.user_permissions.add(Permission.objects.get(codename="view_policystate"))
    client = Client()
    client.force_login(user)
    assert client.get("/metrics").status_code == status


@pytest.mark.urls("demo.urls")
def test_the_demonstration_has_them(settings: Any) -> None:
    assert asked().status_code == 401
    settings.LIFECYCLE_METRICS_TOKEN = TOKEN
    found = asked(token=TOKEN).content.decode()
    assert 'lifecycle_policy_state{database="default",policy="draft-services"' in found


def test_by_the_decorator_of_the_site() -> None:
    assert asked("/ours").status_code == 404
    assert asked("/ours", REMOTE_ADDR="10.0.0.1").status_code == 200


@pytest.mark.parametrize(
    "accept",
    ["application/openmetrics-text; version=1.0.0", "application/openmetrics-text"],
)
def test_openmetrics_to_who_asks_for_it(settings: Any, accept: str) -> None:
    settings.LIFECYCLE_METRICS_TOKEN = TOKEN
    found = asked(token=TOKEN, HTTP_ACCEPT=accept)
    assert found["Content-Type"].startswith("application/openmetrics-text")
    assert {each.name for each in parse_open(found.content.decode())} >= {"lifecycle_up"}


@pytest.mark.parametrize(
    "accept", ["text/plain; version=abc", "application/openmetrics-text; version=a.b", ";;,", "é"]
)
def test_a_header_that_says_nothing(settings: Any, accept: str) -> None:
    settings.LIFECYCLE_METRICS_TOKEN = TOKEN
    assert asked(token=TOKEN, HTTP_ACCEPT=accept).status_code == 200


def test_an_open_page_is_an_error() -> None:
    found = [each for each in run_checks(tags=["lifecycle"]) if each.id == "lifecycle.E036"]
    said = sorted(each.msg.split("'")[1] for each in found)
    assert said == ["cached", "far/open"]
    assert [each.id for each in check_metrics()] == ["lifecycle.E036"] * 2


def test_a_short_token_is_refused(settings: Any) -> None:
    settings.LIFECYCLE_METRICS_TOKEN = "short"
    settings.LIFECYCLE_METRICS_TIMEOUT = 0
    found = reads_settings()
    assert [each.id for each in found] == ["lifecycle.E033"] * 2
    assert "short" not in "".join(each.msg for each in found)
