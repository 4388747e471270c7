"""The deletion concept: what is decided about each model, and that each form says it whole.

The guide is file-a-deletion-concept.md.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from django.db.models import F, Q
from django.test.utils import isolate_apps

from lifecycle import Archive, Policy, Stage, Stages, Update, describe, keep_forever
from lifecycle.concept import forms
from lifecycle.concept.entries import ALONG, ENDS, KEPT, REST, UNDECIDED, Entry, entries
from lifecycle.exceptions import PolicyError
from lifecycle.policy import coverage, described
from lifecycle.policy.registry import all_policies
from tests.commands.documented import assert_documented
from tests.lifecycle.checks.test_coverage import ends, key
from tests.lifecycle.checks.test_declarations import declared

MADE = datetime(2030, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTILE = "=1+1|<script>alert('x')</script>`*_[a](b)\x1b[31m\n# top"


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A site of the models and policies that a test declares."""
    monkeypatch.setattr(coverage, "_kept", {})
    monkeypatch.setattr(described, "_said", {})
    with isolate_apps("tests.zoo") as own:
        monkeypatch.setattr(coverage, "apps", own)
        yield


def concept(*policies: Policy, **states: str) -> list[Entry]:
    with declared(*policies):
        return entries(states)


def by_model(found: list[Entry]) -> dict[str, list[Entry]]:
    names: dict[str, list[Entry]] = {}
    for entry in found:
        names.setdefault(entry.model.partition(".")[2], []).append(entry)
    return names


def test_a_policy_says_start_period_and_places(settings: Any) -> None:
    settings.LIFECYCLE_RESPONSIBLE = "Jo Doe"
    settings.LIFECYCLE_BACKUP_MAX_AGE = 35 * 86_400
    customer = ends("Customer", photo=models.FileField())
    ends("Address", customer=key(customer))
    describe(customer, data="contact data")
    policy = Policy(
        "customers", customer, expires=F("ends_at") + 30 * DAY, grace=7 * DAY, basis="Art. 6"
    )
    found = by_model(concept(policy, customers="enabled"))
    (entry,), (along,) = found["Customer"], found["Address"]
    assert (entry.rule, entry.data, entry.state) == (ENDS, "contact data", "enabled")
    assert entry.starts == "ends at"
    assert entry.period == "30 days, then a grace: 7 days"
    assert (entry.basis, entry.responsible) == ("Art. 6", "Jo Doe")
    assert set(entry.fields) == {"ID", "ends at", "photo"}
    assert [place.partition(":")[0] for place in entry.places] == [
        "Rows", "Rows that go along", "Files", "Backups made before the end",
    ]  # fmt: skip
    assert entry.places[-1].endswith("at most 35 days after.")
    assert (along.rule, along.policy, along.data) == (ALONG, "customers", "addresss")


def test_what_no_policy_takes_has_no_end() -> None:
    cart, country, note = ends("Cart"), ends("Country"), ends("Note")
    ends("Hint", cart=key(cart, null=True))
    keep_forever(country, "no personal data")
    found = by_model(concept(Policy("carts", cart, when=Q(pk__gt=1), expires="ends_at")))
    ending, rest = found["Cart"]
    assert (ending.rule, rest.rule) == (ENDS, REST)
    assert "none of carts applies" in rest.rows
    (kept,) = found["Country"]
    assert (kept.rule, kept.basis) == (KEPT, "no personal data")
    assert [found[name][0].rule for name in ("Note", "Hint")] == [UNDECIDED, UNDECIDED]
    assert found["Hint"][0].policy == "carts"
    assert note._meta.label == found["Note"][0].model


def test_ends_of_each_kind() -> None:
    def period(name: str, **options: Any) -> tuple[str, str]:
        model = ends(name.title(), lasts=models.DurationField())
        (entry, *_) = by_model(concept(Policy(name, model, **options)))[name.title()]
        return entry.starts, entry.period

    assert period("plain", expires="ends_at") == ("ends at", "at that moment")
    assert period("own", expires=F("ends_at") + F("lasts")) == ("ends_at + lasts", "at that moment")
    assert period("asked", on_request=True) == ("a request", "at that moment")
    assert period("graced", expires="ends_at", grace=F("lasts")) == (
        "ends at", "at that moment, then a grace: by the row's lasts",
    )  # fmt: skip


def test_what_is_archived_or_only_changed_says_so() -> None:
    log, bounce = ends("Log"), ends("Bounce", photo=models.FileField())
    found = by_model(
        concept(
            Policy("logs", log, expires="ends_at", disposition=Archive("logs/")),
            Policy("bounces", bounce, expires="ends_at", disposition=Update(ends_at=None)),
        )
    )
    assert any("under logs/" in place for place in found["Log"][0].places)
    assert not any(place.startswith("Files") for place in found["Bounce"][0].places)
    assert "columns ends_at are set" in found["Bounce"][0].method


def test_stages_that_keep_the_row_have_no_rest() -> None:
    """All rows come to each end, also where the last one is no deletion."""
    model = ends("Closed", alias=models.TextField(), mail=models.TextField())
    alias, mail = (Update(**{each: ""}) for each in ("alias", "mail"))
    stages = (Stage("alias", DAY, alias, basis="Art. 6"), Stage("mail", 2 * DAY, mail))
    policies = Stages("closed", model, *stages, since="ends_at").policies
    (entry,) = by_model(concept(*policies))["Closed"]
    assert entry.rows == "All rows of zoo.Closed."
    assert entry.period == "alias: 1 day; then mail: 2 days"
    assert entry.basis == "alias: Art. 6; mail: none"


def hostile() -> list[Entry]:
    model = ends("Odd")
    model._meta.verbose_name_plural = HOSTILE
    return concept(Policy("odd", model, expires="ends_at", basis="=cmd|'/c calc'!A1"))


def test_markdown_is_acted_on_by_no_name() -> None:
    text = forms.as_markdown(hostile(), MADE)
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# Deletion concept"]
    row = next(line for line in text.splitlines() if "zoo.Odd" in line)
    assert row.replace("\\|", "").count("|") == len(forms.OVERVIEW) + 1
    assert "<script>" not in text.replace("\\<", "")


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onload"}


def test_the_page_fetches_nothing_and_escapes_all() -> None:
    page = forms.as_html(hostile(), MADE)
    assert "script" not in Tags(page).tags
    assert "&lt;script&gt;" in page


def test_csv_holds_no_formula_and_all_of_it() -> None:
    found = hostile()
    head, *rows = csv.reader(io.StringIO(forms.as_csv(found)))
    assert len(rows) == len(found)
    cells = dict(zip(head, rows[0], strict=True))
    assert cells["basis"] == "'=cmd|'/c calc'!A1"
    assert not any(cell.startswith(forms.FORMULA) for row in rows for cell in row)


@pytest.mark.slow
def test_two_hundred_models_each_have_a_line() -> None:
    made = [ends(f"Made{number}") for number in range(200)]
    policies = [Policy(f"made-{n}", model, expires="ends_at") for n, model in enumerate(made[:150])]
    for model in made[150:190]:
        keep_forever(model, "the tax office")
    found = concept(*policies)
    rules = [entry.rule for entry in found]
    assert [rules.count(rule) for rule in (ENDS, KEPT, UNDECIDED)] == [150, 40, 10]
    assert "200 models, 10 of them undecided" in forms.summary(found, MADE)
    assert forms.as_markdown(found, MADE).count("\n## ") == 200


@pytest.mark.parametrize(
    "options", [{}, {"data": "a\nb"}, {"responsible": "x" * 501}, {"data": 7}], ids=repr
)
def test_a_wrong_description_is_refused(options: dict[str, Any]) -> None:
    model = ends("Plain")
    with pytest.raises(PolicyError, match=r"describe\(zoo\.Plain\)"):
        describe(model, **options)
    describe(model, data="plain data")
    with pytest.raises(PolicyError, match="twice"):
        describe(model, data="plain data")
    with pytest.raises(PolicyError, match="concrete model class"):
        describe("zoo.Plain", data="x")  # type: ignore[arg-type]


class TestCommand:
    """On the policies of the tests."""

    @pytest.fixture(autouse=True)
    def site(self) -> None:
        """All models of the tests."""

    @pytest.mark.django_db
    def test_each_form(self) -> None:
        printed = {form: said(form) for form in ("md", "html", "csv", "json")}
        data = json.loads(printed["json"])
        assert_documented("lifecycle concept", data)
        assert data["made"].endswith("+00:00")
        ending = [entry["policy"] for entry in data["entries"] if entry["rule"] == ENDS]
        names = {name for policies in ending for name in policies.split(", ")}
        assert names == {policy.name for policy in all_policies()}
        assert {e["state"] for e in data["entries"] if e["rule"] == ENDS} >= {"enabled"}
        for text in printed.values():
            assert all(name in text.replace("\\", "") for name in names)

    @pytest.mark.django_db
    def test_nobody_has_decided(self) -> None:
        errors = io.StringIO()
        call_command("lifecycle", "concept", stdout=io.StringIO(), stderr=errors)
        assert "Nobody has said when the rows of these end: " in errors.getvalue()


def said(form: str) -> str:
    out = io.StringIO()
    call_command("lifecycle", "concept", format=form, stdout=out, stderr=io.StringIO())
    return out.getvalue()
