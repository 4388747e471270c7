"""Pictures of the admin, light and dark, as the documentation shows them.

PICTURES names the folder for them (`make pictures`); without it they are looked at and forgotten.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import context, hold, restore
from lifecycle.ledger.row_names import named
from lifecycle.models import Event
from purge.alerts import watch
from purge.runner import run_due
from tests.clock import pass_time
from tests.lifecycle.admin.test_admin import looker, url
from tests.lifecycle.admin.visiting import Browsing, Visit
from tests.zoo.models import Coupon, Draft, Ticket, Token

__all__ = ["looker"]
pytestmark = pytest.mark.django_db(transaction=True)

WIDTH, HEIGHT = 1100, 860
MOST_BYTES = 250_000


def filled() -> Draft:
    """Some days of a site: rows that have gone, are held, were restored, come next."""
    now = timezone.now()
    day = timedelta(days=1)
    Token.objects.bulk_create(Token(expires_at=now + day * (n % 9 - 4)) for n in range(90))
    Ticket.objects.bulk_create(Ticket(expires_at=now + day * n) for n in range(1, 6))
    Coupon.objects.create(code="SPRING", expires_at=now + day)
    drafts = [Draft.objects.create(created_at=now - 2 * day) for _ in range(3)]
    run_due()
    with context(actor="jo"):
        hold(drafts[0], reason="dispute", reference="A-12")
        restore(drafts[1])
    pass_time(hours=1)
    run_due()
    watch.watch("default")  # as a worker does once a minute
    return drafts[0]


def pages(draft: Draft) -> dict[str, str]:
    """Name of a picture -> address of what it shows."""
    row = reverse("admin:lifecycle_row")
    return {
        "page-one": "/admin/lifecycle/",
        "one-row": f"{row}?row={named(draft)}",
        "hold-a-row": f"{reverse('admin:lifecycle_row_action', args=['hold'])}?row={named(draft)}",
        "events": url(Event, "changelist"),
    }


def taken(addresses: dict[str, str], colour: str, folder: Path) -> Callable[[Visit], None]:
    def take(visit: Visit) -> None:
        for name, address in addresses.items():
            page = visit.open(address)
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            page.screenshot(path=folder / f"{name}-{colour}.png")
        assert visit.wrong == []

    return take


@pytest.mark.slow
def test_pictures_in_both_colours(
    browser: Browsing, looker: Client, live_server: Any, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    addresses = pages(filled())
    for colour in ("light", "dark"):
        act = taken(addresses, colour, folder)
        browser.visited(live_server.url, looker, act, width=WIDTH, dark=colour == "dark")
    for name in addresses:
        light, dark = (
            (folder / f"{name}-{colour}.png").read_bytes() for colour in ("light", "dark")
        )
        assert light != dark, name
        assert max(len(light), len(dark)) < MOST_BYTES, name
