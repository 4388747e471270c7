"""Every page of the admin in a language whose every text is in brackets: nothing stands outside."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from lifecycle.policy.registry import all_policies
from tests.languages.pseudo import bracket, unmarked
from tests.lifecycle.admin.scene import own, set_up
from tests.lifecycle.admin.test_admin import NASTY, looker
from tests.lifecycle.admin.test_phone import LONG, filled

__all__ = ["looker"]
pytestmark = pytest.mark.django_db(transaction=True)

#: what is the same in each language: names, numbers, keys, what people or the ledger have written
DATA = (
    r"[\w.]+\.\w+(:\w+)?", r"\w+__\w+=\w+", r"\b[0-9a-f]{16,}\b", r"SELECT .*", r"\{\".*\}",
    r"[CT]-\d+", r"DSR-\d", r"\b[a-z_]+: (True|held)\b", r"\bUTC\b", r"\b\w+@\w+\.com\b",
    r"\b(boss|ann|worker|erase|done|ProtectedError|True|ID|reason|reference)\b",
    r"app\.Model:pk", r"\bSearch\b",  # Django's own page has it as it is
)  # fmt: skip
#: of a request: why its erasure was refused, as it was written down when it was tried
RECORDED = r"Held by hold .*\. Nothing was changed\."


def data() -> re.Pattern[str]:
    """Also the names of the site's own apps, models, columns and policies."""
    site = [each for each in apps.get_app_configs() if each.label not in ("lifecycle", "purge")]
    names = {policy.name for policy in all_policies()} | {str(each.verbose_name) for each in site}
    names |= {name for each in site for model in each.get_models() for name in names_of(model)}
    known = sorted((re.escape(name) for name in names if name), key=len, reverse=True)
    own = rf"(?i:(?<![\w-])({'|'.join(known)})(?![\w-]))"
    return re.compile("|".join([RECORDED, re.escape(LONG), re.escape(NASTY), *DATA, own]))


def names_of(model: Any) -> Iterator[str]:
    yield from (str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
    for field in model._meta.concrete_fields:
        yield from (str(field.verbose_name), field.name, str(field.help_text))


def left_of(client: Client, pages: dict[str, str]) -> dict[str, list[str]]:
    known = data()
    found = {name: sorted(unmarked(client.get(at).text, known)) for name, at in pages.items()}
    return {name: texts for name, texts in found.items() if texts}


def test_no_text_of_the_main_pages_is_unmarked(
    looker: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = own(filled()) | {"plan": reverse("admin:purge_plan_add")}
    bracket(monkeypatch)
    assert left_of(looker, pages) == {}


@pytest.mark.slow
def test_no_text_of_any_page_is_unmarked(looker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = set_up()
    bracket(monkeypatch)
    assert left_of(looker, pages) == {}


def test_what_is_unmarked_is_found() -> None:
    page = (
        '<title>⟦Title⟧</title><p>⟦Next: <b>tokens</b>, ⟦soon⟧.⟧ Left</p><input type="submit"'
        ' value="Press"><code>manage.py</code><i title="Told" aria-label="⟦Said⟧">7 tokens</i>'
    )
    assert unmarked(page, re.compile("tokens")) == {"Left", "Press", "Told"}
