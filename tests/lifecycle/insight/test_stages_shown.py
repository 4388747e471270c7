"""Stages are shown as ends of the same rows wherever policies are: commands, concept, admin."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from lifecycle.ledger import policy_states as states
from lifecycle.models import PolicyState
from tests.lifecycle.admin.test_admin import url
from tests.lifecycle.admin.test_admin_row import client_of
from tests.lifecycle.admin.test_policy_page import page, said
from tests.support import run_until_idle
from tests.zoo.models import Leaver

pytestmark = pytest.mark.django_db(transaction=True)
ENDS = (
    "ends of leavers: leavers-anonymise 365 days after left_at, then leavers-delete 1095 days "
    "after left_at"
)


def told(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command("lifecycle", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return " ".join(out.getvalue().split())


def test_on_the_command_line() -> None:
    row = Leaver.objects.create(name="Jo", left_at=timezone.now() - timedelta(days=400))
    run_until_idle()
    status = told("status", "leavers-anonymise", "leavers-delete", "errands")
    assert f"leavers-anonymise: 1 of 2 {ENDS}" in status
    assert f"leavers-delete: 2 of 2 {ENDS}" in status
    assert "errands: " not in status
    why = told("why", f"zoo.Leaver:{row.pk}")
    assert f"does not match `when`, or is as this stage leaves it 1 of 2 {ENDS}." in why
    assert "leavers-delete (enabled): is live until" in why
    assert f"2 of 2 {ENDS}." in why
    ahead = told("simulate", until=str(timezone.now() + timedelta(days=1000)))
    assert f"leavers-delete: 1 2 of 2 {ENDS}." in ahead
    (found,) = json.loads(told("status", "leavers-delete", "--json"))
    assert found["stages"] == f"2 of 2 {ENDS}."


def test_in_the_deletion_concept() -> None:
    found = json.loads(told("concept", format="json"))["entries"]
    (entry,) = [each for each in found if each["model"] == "zoo.Leaver" and each["policy"]]
    assert entry["policy"] == "leavers-anonymise, leavers-delete"
    assert (entry["state"], entry["starts"]) == ("enabled", "left at")
    assert entry["rows"] == "Rows of zoo.Leaver where regular is false."
    period = "anonymise: 365 days; then delete: 1095 days, then a grace: 1 hour"
    assert entry["period"] == period
    assert entry["method"].startswith("anonymise: The row stays; its columns name, email, emptied")
    assert "; then delete: The row is deleted" in entry["method"]
    states.pause("leavers-delete", actor="jo")
    assert "anonymise: enabled; delete: paused" in told("concept", format="md")


def test_in_the_admin() -> None:
    client = client_of("view_policystate", "view_leaver")
    shown = said(page(client, "leavers-delete"), "End")
    assert f"At 1095 days after left_at; where that is empty, never.<br>2 of 2 {ENDS}." in shown
    assert "of 2 ends" not in said(page(client, "errands"), "End")
    listed = client.get(url(PolicyState, "changelist")).text
    assert listed.count(">2 of 2 ends of leavers<") == 1


def test_of_a_row_and_a_forecast_in_the_admin() -> None:
    row = Leaver.objects.create(name="Jo", left_at=timezone.now() - timedelta(days=300))
    client = client_of(
        "view_policystate", "view_leaver", "view_event", "view_rowexception", "view_forecast",
        "view_client",
    )  # fmt: skip
    of_row = client.get(reverse("admin:lifecycle_row"), {"row": f"zoo.Leaver:{row.pk}"}).text
    assert f"1 of 2 {ENDS}." in of_row
    until = (timezone.now() + timedelta(days=100)).strftime("%Y-%m-%dT%H:%M:%S")
    ahead = client.get(reverse("admin:purge_forecast_ahead"), {"until": until}).text
    assert f"1 of 2 {ENDS}." in ahead
