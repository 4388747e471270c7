"""What a notice refuses where it is declared, and what checks say of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.checks.registry import registry
from django.db.models import F

from lifecycle import Notice, Partitions, Policy, Stage, Update, Window
from lifecycle.checks.notices import NOTICES, check_mail
from lifecycle.checks.settings import reads_settings
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.exceptions import PolicyError
from lifecycle.insight.declared import ending
from lifecycle.policy.registry import get_policy
from tests.mailing import set_mail
from tests.zoo.models import Guest, Unpaid

DAY = timedelta(days=1)
MONTH = 30 * DAY


def policy(notice: Notice | None = None, model: Any = Guest, **options: Any) -> Policy:
    given = {"expires": F("seen_at") + 365 * DAY} | options
    return Policy("warned", model, notice=notice, **given)


def ids(found: Policy) -> list[str]:
    messages: list[CheckMessage] = [each for check in NOTICES for each in check(found)]
    return [str(each.id).removeprefix("lifecycle.") for each in messages]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"before": []}, "1 to|one to"),
        ({"before": [MONTH, MONTH]}, "different"),
        ({"before": [n * DAY for n in range(1, 12)]}, "one to 10"),
        ({"before": [timedelta(0)]}, "is a timedelta"),
        ({"before": 30}, "is a timedelta"),
        ({"before": [30]}, "is a timedelta"),
        ({"before": {"a": MONTH}}, "of which field"),
        ({"before": {"a": []}, "by": "plan"}, "no time"),
        ({"before": MONTH, "by": "plan"}, "a dict"),
        ({"before": {"a": MONTH}, "by": ""}, "a dict"),
        ({"otherwise": DAY}, "say `by`"),
        ({"otherwise": ()}, "say `by`"),
        ({"to": None}, "to is"),
        ({"to": ""}, "to is"),
        ({"language": 1}, "language is"),
        ({"keep": timedelta(0)}, "keep is"),
        ({"keep": "renew"}, "keep is"),
    ],
)
def test_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        Notice(**{"before": MONTH, "to": "email"} | given)


@pytest.mark.parametrize(
    "options",
    [
        {"capture": Window(), "expires": F("seen_at") + 365 * DAY},
        {"capture": Partitions(), "expires": F("seen_at") + 365 * DAY},
        {"on_request": True, "expires": None},
        {"notice": "email"},
    ],
)
def test_refused_of_a_policy(options: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="notice"):
        Policy("warned", Guest, **{"notice": Notice(MONTH, to="email")} | options)


def test_an_option_of_a_stage() -> None:
    stage = Stage("empty", MONTH, Update(name=""), notice=Notice(DAY, to="email"))
    assert stage.options["notice"].longest == DAY


def test_longest_first_and_the_longest_for_others() -> None:
    by_plan = {"free": [DAY, MONTH], "paid": 2 * MONTH, None: []}
    notice = Notice(by_plan, to="email", by="plan")
    assert notice.leads == {"free": (MONTH, DAY), "paid": (2 * MONTH,), None: ()}
    assert notice.otherwise == (2 * MONTH,)
    assert Notice(by_plan, to="email", by="plan", otherwise=()).otherwise == ()


def test_when_decides_and_to_whom_does_not() -> None:
    one = fingerprint(policy(Notice(MONTH, to="email")))
    assert one == fingerprint(policy(Notice([MONTH], to="name", keep=None, language="language")))
    assert one != fingerprint(policy(Notice([MONTH, DAY], to="email")))
    assert one != fingerprint(policy())
    by_plan = [{"a": MONTH, "b": DAY}, {"b": DAY, "a": MONTH}]
    one, other = (fingerprint(policy(Notice(each, to="email", by="plan"))) for each in by_plan)
    assert one == other


@pytest.mark.parametrize(
    ("notice", "found"),
    [
        (Notice(MONTH, to="email", language="language", time_zone="zone"), []),
        (Notice(MONTH, to="mail"), ["E052"]),
        (Notice(MONTH, to="email", language="tongue", time_zone="name__zone"), ["E052", "E052"]),
        (Notice(MONTH, to=lambda row: row.email), []),
        (Notice({"a": MONTH}, to="email", by="plans"), ["E055"]),
        (Notice(365 * DAY, to="email"), ["E053"]),
        (Notice(364 * DAY, to="email"), []),
    ],
)
def test_checks(notice: Notice, found: list[str]) -> None:
    assert ids(policy(notice)) == found


def test_an_address_over_relations() -> None:
    one = policy(Notice(DAY, to="leaver__email"), Unpaid, expires=F("id"))
    assert ids(one) == []
    other = policy(Notice(DAY, to="leaver__unpaid__id"), Unpaid, expires=F("id"))
    assert ids(other) == ["E052"]


@pytest.mark.parametrize("wrong", [{"LIFECYCLE_NOTICE_URL": ""}, {"ROOT_URLCONF": "demo.urls"}])
def test_links_have_to_lead_somewhere(settings: Any, wrong: dict[str, str]) -> None:
    for name, value in wrong.items():
        setattr(settings, name, value)
    assert ids(policy(Notice(MONTH, to="email"))) == ["E054"]
    assert ids(policy(Notice(MONTH, to="email", keep=None))) == []


@pytest.mark.parametrize("value", ["example.com", "ftp://example.com", "https://", 1])
def test_a_site_that_is_none(settings: Any, value: Any) -> None:
    settings.LIFECYCLE_NOTICE_URL = value
    assert [each.id for each in reads_settings()] == ["lifecycle.E033"]


def test_in_words() -> None:
    said = ending(get_policy("guests"))
    assert said.endswith(
        " Mails warn of it 30 days and 7 days or never or 60 days before, by plan; it waits for"
        " them."
    )
    assert "mail" not in ending(policy())


@pytest.mark.parametrize(
    ("backend", "told"), [("console", True), ("locmem", True), ("smtp", False)]
)
def test_mails_that_go_to_nobody_are_told_at_deployment(
    settings: Any, backend: str, told: bool
) -> None:
    set_mail(settings, 0, backend=f"django.core.mail.backends.{backend}.EmailBackend")
    found = [each.id for each in check_mail()]
    assert found == (["lifecycle.W051"] if told else [])
    assert check_mail in registry.get_checks(include_deployment_checks=True)
    assert check_mail not in registry.get_checks()
