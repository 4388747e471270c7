"""A policy's page says in words what ends, how it stands, and what who looks may do."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from lifecycle import hold
from lifecycle.ledger import policy_states
from lifecycle.ledger.holds import hold_rows
from lifecycle.models import PolicyState
from tests.lifecycle.admin.test_admin import url
from tests.lifecycle.admin.test_admin_row import client_of
from tests.zoo.models import Draft

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = ("view_policystate", "view_draft")


def page(client: Client, name: str = "drafts") -> str:
    return client.get(url(PolicyState, "change", name)).text


def said(text: str, label: str) -> str:
    """What stands beside a label."""
    found = re.search(rf"<label>{label}:</label>.*?<div class=\"readonly\">(.*?)</div>", text, re.S)
    assert found, label
    return found[1]


def test_it_says_what_ends_and_folds_the_sql() -> None:
    text = page(client_of(*LOOKS))
    assert "Rows of zoo.Draft where status is &#x27;draft&#x27;." in said(text, "Which rows")
    assert "1 day after created_at" in said(text, "End")
    assert "1 hour." in said(text, "Grace")
    assert "The row is deleted" in said(text, "How")
    assert "a row of zoo.Picture" in said(text, "Kept")
    folded = text.index("<details")
    for label in ("Due sql", "State sql", "Fingerprint"):
        assert text.index(f"<label>{label}:") > folded
    for label in ("Which rows", "State", "Holds", "What you may do", "Brakes"):
        assert text.index(f"<label>{label}:") < folded


def test_it_names_holds_to_whom_may_view_the_table() -> None:
    Draft.objects.bulk_create(Draft(created_at=timezone.now()) for _ in range(3))
    hold_rows(Draft.objects.all(), reason="one by one")
    assert said(page(client_of(*LOOKS)), "Holds") == "3 rows of the table are held."
    number = hold("drafts", reason="an audit", reference="A-1")
    text = page(client_of(*LOOKS, name="al"))
    assert f"All rows, hold {number} since" in said(text, "Holds")
    assert ": an audit (A-1)<br>3 rows" in said(text, "Holds")
    assert "All of its table is held: nothing ends there." in said(text, "State")
    assert (
        said(page(client_of("view_policystate", name="no")), "Holds")
        == "You may not view zoo.draft."
    )


def test_it_says_what_who_looks_may_do() -> None:
    every: Any = client_of(*LOOKS, "pause_policy", "resume_policy", name="every")
    looker = client_of(*LOOKS, name="looker")
    assert "Pause it" in said(page(every), "What you may do")
    assert "Pause it" not in said(page(looker), "What you may do")
    policy_states.pause("drafts", actor="jo")
    assert "Resume it" in said(page(every), "What you may do")
    assert "Resume it" not in said(page(looker), "What you may do")
    assert "Paused by a person" in said(page(looker), "State")


def test_a_policy_that_the_code_does_not_declare() -> None:
    PolicyState.objects.filter(name="drafts").update(name="gone")
    text = page(client_of(*LOOKS), "gone")
    assert "does not declare the policy" in said(text, "Which rows")
    assert "here it ends nothing" in said(text, "State")
