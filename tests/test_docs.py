"""The documentation: its links lead somewhere, and it leaves out no kind of event."""

import re
from pathlib import Path

import pytest

from lifecycle.models import Kind
from tests.infra.servers import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def linked(page: Path) -> set[Path]:
    """The files that a page links to."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!\w+:)([^)#\s]+)(?:#[^)\s]*)?\)", text)
    return {(page.parent / target).resolve() for target in targets}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [target for target in linked(page) if not target.exists()] == []


def test_every_page_is_found_from_the_index() -> None:
    found, fresh = set(), {ROOT / "docs/index.md"}
    while fresh:
        found |= fresh
        fresh = set().union(*(linked(page) for page in fresh if page.suffix == ".md")) - found
    assert sorted(set(ROOT.glob("docs/**/*.md")) - found) == []


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert [p.name for p in ROOT.glob("docs/adr/*.md") if f"(adr/{p.name})" not in index] == []


def test_every_kind_of_event_is_described() -> None:
    reference = (ROOT / "docs/reference/events.md").read_text(encoding="utf-8")
    assert [kind for kind in Kind.values if f"`{kind}`" not in reference] == []


def test_every_field_of_detail_is_described() -> None:
    reference = (ROOT / "docs/reference/events.md").read_text(encoding="utf-8")
    sources = [
        path
        for top in ("lifecycle", "purge")
        for path in (ROOT / top).rglob("*.*")
        if path.suffix in {".py", ".sql"}
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    read = set(re.findall(r"detail\s*(?:\?|->>?)\s*'(\w+)'", text))
    assert {"relisted", "tombstone", "state"} <= read
    assert [field for field in sorted(read) if f"`{field}`" not in reference] == []
