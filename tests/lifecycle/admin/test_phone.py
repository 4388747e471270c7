"""Every page of the admin on a phone, measured in a browser: nothing stands beside the screen."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import hold
from lifecycle.admin.row_actions import ROW_ACTIONS
from lifecycle.ledger.row_names import named
from lifecycle.models import Event
from purge.runner import run_due
from tests.lifecycle.admin.browser import measured
from tests.lifecycle.admin.test_admin import SHOWN, looker, url
from tests.zoo.models import Coupon, Draft

__all__ = ["looker"]
pytestmark = pytest.mark.django_db(transaction=True)
PHONE = 390
LONG = "a word without any space in it is written by machines, such as " + "x" * 90


def some(model: Any) -> list[Any]:
    """Of events one of each kind, of others the last few."""
    rows = model._default_manager.order_by("-pk")
    return list({row.kind: row for row in rows}.values()) if model is Event else list(rows[:3])


def filled() -> Draft:
    """A ledger with long texts; a row that is tombstoned and held."""
    draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    Coupon.objects.create(code="c" * 40, expires_at=timezone.now() + timedelta(days=1))
    run_due()
    hold(draft, reason=LONG, reference="T-" + "7" * 60)
    hold("coupons", reason=LONG)
    return draft


def pages(client: Client) -> dict[str, str]:
    """Each kind of page, with rows and long texts in it."""
    draft = filled()
    found = {"page one": "/admin/lifecycle/"}
    for model in SHOWN:
        found[f"list of {model.__name__}"] = url(model, "changelist")
        for row in some(model):
            found[f"{model.__name__} {row.pk}"] = url(model, "change", row.pk)
    row = reverse("admin:lifecycle_row")
    for name in ("", named(draft), "zoo.Draft:99", f"zoo.Coupon:{'c' * 40}"):
        found[f"row {name}"] = f"{row}?row={name}"
    for action in ROW_ACTIONS:
        address = reverse("admin:lifecycle_row_action", args=[action])
        found[action] = f"{address}?row={named(draft)}"
    return {name: client.get(address, follow=True).text for name, address in found.items()}


@pytest.mark.slow
def test_no_page_is_wider_than_a_phone(looker: Client) -> None:
    found = pages(looker)
    sizes = measured(list(found.values()), PHONE, "input[name=until]")
    dates = [date for size in sizes for date in size["found"]]
    assert [date["type"] for date in dates] == ["datetime-local"] * 2
    wide = {name: size["wide"] for name, size in zip(found, sizes, strict=True)}
    assert {name: size for name, size in wide.items() if size != PHONE} == {}
