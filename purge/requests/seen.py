"""What of a request a user may read: nothing of rows of a model that the user may not view."""

from dataclasses import replace

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from lifecycle.admin.visibility import names_hidden, without_hidden
from lifecycle.phrases import joined, phrase, translated
from purge.erasure.receipt import Receipt

UNNAMED = phrase("A row, or a hold on one, of a model that you may not view.")
MORE = phrase("And rows of models that you may not view.")


def refusal(request: HttpRequest, site: AdminSite, text: str) -> str:
    """What keeps a row, without naming one that the user may not view."""
    return UNNAMED if text and names_hidden(request, site, text) else text


def receipt_text(request: HttpRequest, site: AdminSite, receipt: Receipt) -> str:
    """A receipt in words. Where rows of hidden models went along, files are not named either: they
    may be of those.
    """
    cascade = without_hidden(request, site, receipt.cascade)
    unlinked = without_hidden(request, site, receipt.unlinked)
    waits = refusal(request, site, receipt.waits_for)
    seen = replace(receipt, cascade=cascade, unlinked=unlinked, waits_for=waits)
    if (cascade, unlinked) == (receipt.cascade, receipt.unlinked):
        return translated(seen.as_text())
    return translated(joined("\n", [replace(seen, media=[], media_gone={}).as_text(), MORE]))
