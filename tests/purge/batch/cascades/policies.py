"""What ends, and two policies on what goes along."""

from django.db.models import Q

from lifecycle import Policy, register, track_media
from tests.purge.batch.cascades.models import (
    Both,
    Crate,
    Husband,
    Invoice,
    Mid,
    Product,
    Scrap,
    Shop,
    Top,
)
from tests.purge.batch.cascades.ways import NATIVE

NO_CAP = 10**9

register(
    Policy("shops", Shop, expires="expires_at", cap_rows=NO_CAP),
    Policy("products", Product, on_request=True),
    Policy("both", Both, expires="expires_at"),
    Policy("husbands", Husband, expires="expires_at"),
    Policy("tops", Top, expires="expires_at", cap_rows=NO_CAP),
    Policy("tops-asked", Top, on_request=True),
    Policy("mids", Mid, on_request=True),
    Policy("crates", Crate, expires="expires_at", cap_rows=NO_CAP),
    Policy("invoices", Invoice, when=Q(open=True), expires="expires_at"),
)

if not NATIVE:
    track_media(Scrap)  # its model cannot say that it goes along
