"""The options of a policy: validated before anything is registered. No database."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from lifecycle import Notice, Policy, Purge, Rows, Signals, Update, register
from lifecycle.exceptions import NoPolicy, PolicyError
from lifecycle.policy.policy import ARGUMENTS, OPTIONS
from lifecycle.policy.registry import get_policy
from tests.zoo.models import Member, Order, Picture, Ticket, Token

SECOND = timedelta(seconds=1)
PHOTOS = Exists(Picture.objects.filter(draft=OuterRef("pk")))

WRONG: dict[str, list[Any]] = {
    "when": [None, True, {"active": True}, PHOTOS, F("active")],
    "expires": [3, timedelta(1), Q(active=True)],
    "grace": [None, 7, timedelta(seconds=-1), Q()],
    "keep_while": [True, "active", F("label"), RawSQL("true", ())],
    "recheck": [None, 60, timedelta(0), -SECOND],
    "disposition": [Purge, None, "purge"],
    "capture": [Signals, None, "signals"],
    "identity": ["pk", [3], {"pk"}, 1],
    "cap_rows": [0, -1, 1.5, True, None],
    "cap_fraction": [-0.1, 1.1, "10%", None],
    "resolution": [None, timedelta(0), 1],
    "batch_rows": [0, -5, 2.0, False],
    "purge_hours": [(22,), (22, 22), (24, 6), (-1, 6), (22, 25), "22", 22, (True, 6)],
    "holds": ["enforce", "", None, True],
    "on_request": [None, 1, "yes"],
    "observe_first": [None, 1, "yes"],
    "previously": ["", "Old Name", 3],
    "notice": ["email", True, timedelta(days=30), [timedelta(days=30)]],
    "basis": ["", "two\nlines", "x" * 501, 3, "\u202e"],
}
RIGHT: dict[str, list[Any]] = {
    "when": [Q(), Q(active=True), ~Q(label="x")],
    "expires": ["expires_at", F("expires_at") + SECOND, RawSQL("expires_at", ())],
    "grace": [timedelta(0), SECOND, "grace", F("grace")],
    "keep_while": [None, Q(active=True), PHOTOS, ~PHOTOS],
    "recheck": [SECOND],
    "disposition": [Purge(), Update(active=False)],
    "capture": [Rows(), Signals()],
    "identity": [None, ["pk"], ("pk", "label")],
    "cap_rows": [1, 10**9],
    "cap_fraction": [0, 0.5, 1],
    "resolution": [SECOND],
    "batch_rows": [1],
    "purge_hours": [None, (22, 6), [0, 24]],
    "holds": ["engine", "enforced"],
    "on_request": [False],
    "observe_first": [False, True],
    "previously": [None, "old-name"],
    "notice": [None, Notice([SECOND], to="label")],
    "basis": [None, "Art. 6 (1) c GDPR, § 147 AO"],
}


def declared(**options: Any) -> Policy:
    return Policy("planted", Token, **{"expires": "expires_at"} | options)


def cases(table: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(option, value) for option, values in table.items() for value in values]


def test_every_option_has_a_rule_and_cases() -> None:
    assert WRONG.keys() == RIGHT.keys() == OPTIONS.keys()
    assert list(ARGUMENTS) == ["name", "model", *OPTIONS]


@pytest.mark.parametrize(("option", "value"), cases(WRONG))
def test_wrong_value(option: str, value: Any) -> None:
    with pytest.raises(PolicyError, match=f"'planted': {option} must be "):
        declared(**{option: value})


@pytest.mark.parametrize(("option", "value"), cases(RIGHT))
def test_right_value(option: str, value: Any) -> None:
    assert declared(**{option: value}).name == "planted"


@pytest.mark.parametrize(
    "name", ["", "Drafts", "old drafts", "-drafts", "drafts-", "a--b", "9", "x" * 41, 3, "ä"]
)
def test_wrong_name(name: Any) -> None:
    with pytest.raises(PolicyError, match="name must be lower-case words joined by hyphens"):
        Policy(name, Token, expires="expires_at")


@pytest.mark.parametrize("model", [None, "zoo.Token", Token(), int, AbstractBaseUser])
def test_wrong_model(model: Any) -> None:
    with pytest.raises(PolicyError, match="model must be a concrete model class"):
        Policy("planted", model, expires="expires_at")


@pytest.mark.parametrize(
    ("option", "meant"),
    [("expire", "expires"), ("keep_when", "keep_while"), ("cap_row", "cap_rows"), ("wen", "when")],
)
def test_typo_is_answered_with_a_suggestion(option: str, meant: str) -> None:
    with pytest.raises(PolicyError, match=f"no option '{option}'. Did you mean '{meant}'?"):
        declared(**{option: 1})


def test_strange_option_is_answered_with_all_options() -> None:
    with pytest.raises(PolicyError, match=r"Options: when, expires, grace"):
        declared(zebra=1)


def test_enforced_holds_need_triggers() -> None:
    with pytest.raises(PolicyError, match=r"holds='enforced' needs triggers: Rows\(\)"):
        declared(holds="enforced", capture=Signals())


def test_expires_or_on_request() -> None:
    with pytest.raises(PolicyError, match=r"needs `expires`, or on_request=True"):
        Policy("planted", Token)
    with pytest.raises(PolicyError, match="takes no `expires`"):
        declared(on_request=True)
    assert Policy("planted", Token, on_request=True).expires is None


def test_update_needs_a_column() -> None:
    with pytest.raises(PolicyError, match=r"Update\(\) needs at least one column"):
        Update()


def test_name_of_a_field_becomes_an_expression() -> None:
    assert declared().expires == F("expires_at")


def test_identity_by_default() -> None:
    assert declared().identity == ()
    assert Policy("planted", Member, expires="expires_at").identity == ("pk", "joined_at")
    assert Policy("planted", Ticket, expires="expires_at").identity == ("*",)
    assert Policy("planted", Order, expires="expires_at", identity=["pk"]).identity == ("pk",)


def test_name_is_taken() -> None:
    with pytest.raises(PolicyError, match="two policies called 'tokens'"):
        register(Policy("tokens", Token, expires="expires_at"))


def test_unknown_policy_is_answered_with_a_suggestion() -> None:
    with pytest.raises(NoPolicy, match=r"no policy 'token'. Did you mean 'tokens'\?"):
        get_policy("token")
