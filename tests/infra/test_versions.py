"""The pages of several versions beside each other, with the switch: `make docs-versions`."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.infra.scripts import asked
from tests.infra.servers import ROOT
from tests.lifecycle.admin.visiting import OPTIONS
from tests.places.servers import program

STATIC = ROOT / ".ci/sphinx/static/versions.js"
PAGE = """<!doctype html><html lang="en" data-content_root="{root}"><meta charset="utf-8">
<title>{title}</title><script defer src="{root}_static/versions.js"></script>
<div class="sidebar-brand">brand</div><article>{title}</article></html>
"""


def test_the_newest_patch_of_each_minor_release_newest_first() -> None:
    tags = ["v0.9.1", "v0.10.0", "v0.9.12", "v0.9.2", "v1.0.0rc1", "nightly", "v2"]
    found = asked("versions", f"list(versions.minors({tags}).items())")
    assert found == [["0.10", "v0.10.0"], ["0.9", "v0.9.12"]]
    assert asked("versions", "versions.minors([])") == {}


def built(folder: Path, *pages: str) -> Path:
    """Pages as `make docs` leaves them."""
    (folder / "_static").mkdir(parents=True)
    shutil.copy(STATIC, folder / "_static")
    (folder / "llms.txt").write_text(f"# {folder.name}\n")
    for page in ("index.html", *pages):
        (folder / page).parent.mkdir(exist_ok=True)
        root = "../" * page.count("/") or "./"
        (folder / page).write_text(PAGE.format(root=root, title=f"{folder.name} {page}"))
    return folder


@contextmanager
def opened() -> Iterator[Page]:
    """A browser that reaches nothing but this machine's disk."""
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program("chromium"), args=OPTIONS)
        page = chromium.new_page(offline=True)
        page.set_default_timeout(20_000)
        yield page
        chromium.close()


@pytest.mark.slow
def test_a_reader_changes_to_the_same_page_of_another_version(tmp_path: Path) -> None:
    """From a disk, without a network; where a version has no such page, to its first one."""
    made = {
        "0.2": built(tmp_path / "b", "how-to/hold.html"),
        "0.1": built(tmp_path / "a"),
        "main": built(tmp_path / "m", "how-to/hold.html", "how-to/new.html"),
    }
    places = ", ".join(f"{name!r}: pathlib.Path({str(each)!r})" for name, each in made.items())
    asked("versions", f"versions.put_together({{{places}}}, pathlib.Path('a site'))", tmp_path)
    site = tmp_path / "a site"
    assert (site / "llms.txt").read_text() == "# b\n"
    with opened() as page:
        page.goto((site / "index.html").as_uri())
        page.wait_for_url("**/0.2/index.html")
        select = page.locator(".version-switch select")
        assert select.locator("option").all_inner_texts() == ["0.2", "0.1", "main"]
        assert page.locator(".version-note").count() == 0
        page.goto((site / "main/how-to/hold.html").as_uri())
        said = page.locator(".version-note").inner_text()
        assert said == "This page is of what is not released yet. The newest release is 0.2."
        page.locator(".version-note a").click()
        page.wait_for_url("**/0.2/how-to/hold.html")
        page.get_by_label("Version").select_option("0.1")
        page.wait_for_url("**/0.1/index.html")
        assert "of version 0.1" in page.locator(".version-note").inner_text()
        page.get_by_label("Version").select_option("main")
        page.wait_for_url("**/main/index.html")


@pytest.mark.slow
def test_pages_of_one_version_alone_show_no_switch(tmp_path: Path) -> None:
    alone = built(tmp_path / "docs", "how-to/hold.html")
    with opened() as page:
        with page.expect_event("requestfailed") as failed:
            page.goto((alone / "how-to/hold.html").as_uri())
        assert failed.value.url == (tmp_path / "versions.js").as_uri()
        assert page.locator(".version-switch").count() == 0
