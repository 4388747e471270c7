"""What a strict site calls, each once."""

from datetime import timedelta
from typing import assert_type

from django.db.models import F, Q, QuerySet

import purge
from lifecycle import (
    Archive,
    Notice,
    Policy,
    Purge,
    Stage,
    Stages,
    Update,
    Window,
    context,
    expire_now,
    hold,
    hold_rows,
    holds,
    live,
    register,
    release,
    restore,
    tombstoned,
)
from shop.models import Cart, CartQuerySet

register(
    Policy(
        "unpaid-carts",
        Cart,
        when=Q(paid=False),
        expires=F("created_at") + timedelta(days=30),
        grace=timedelta(days=7),
        disposition=Purge(),
        notice=Notice([timedelta(days=7)], to=str, keep=None),
    )
)
register(
    Stages(
        "left-carts",
        Cart,
        Stage("mark", timedelta(days=365), Update(paid=True)),
        Stage("delete", timedelta(days=3 * 365), basis="Art. 6"),
        since="created_at",
        cap_rows=100,
    )
)
OTHERS = (Archive("carts/"), Update(paid=True), Window("1 day"))


def use(cart: Cart) -> int:
    """Each with its types."""
    shown = assert_type(CartQuerySet(Cart).live(), CartQuerySet)
    first = assert_type(Cart.objects.live().unpaid().first(), Cart | None)
    assert_type(live(Cart), QuerySet[Cart])
    gone: int = shown.tombstoned().count() + live(Cart).count() + tombstoned(Cart.objects).count()
    with context(actor="support: jo"):
        restore(cart)
        number = hold(cart, reason="dispute", reference="A-12")
        numbers, rows = hold_rows(Cart.objects.live())
        release(cart)
        expire_now(first or cart)
    receipt = purge.erase(cart, reference="DSR-12", actor="jo")
    return gone + number + rows + len(numbers) + len(holds()) + len(receipt.media)
