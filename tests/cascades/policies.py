"""What ends, and two policies on what goes along."""

from django.db.models import Q

from lifecycle import Policy, register

from .models import Both, Husband, Invoice, Product, Shop

NO_CAP = 10**9

register(
    Policy("shops", Shop, expires="expires_at", cap_rows=NO_CAP),
    Policy("products", Product, on_request=True),
    Policy("both", Both, expires="expires_at"),
    Policy("husbands", Husband, expires="expires_at"),
    Policy("invoices", Invoice, when=Q(open=True), expires="expires_at"),
)
