"""What is in the wheel: two top-level names, the migrations inside them, SQL and all."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from tests.infra.packages import build_wheel, copy_sources, python
from tests.infra.scripts import ENVIRONMENT
from tests.infra.servers import ROOT
from tests.test_docs import linked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RELATIVE = re.compile(r"\]\((?!\w+:|#)")
REPOSITORY = "https://forge.example/us/django-tombstone"


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.mark.slow
def test_top_level_names(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"lifecycle", "purge"}


def test_every_source_file_is_in_it(names: set[str]) -> None:
    expected = set()
    for top in ("lifecycle", "purge"):
        for pattern in ("*.py", "*.pyi", "*.sql", "*.html", "*.txt", "*.css", "*.po", "*.mo"):
            found = (path.relative_to(ROOT) for path in (ROOT / top).rglob(pattern))
            expected |= {path.as_posix() for path in found}
            inside = (ROOT / "migrations" / top).rglob(pattern)
            base = ROOT / "migrations" / top
            expected |= {f"{top}/migrations/{path.relative_to(base).as_posix()}" for path in inside}
    patterns = ("**/*.md", "**/*.svg", "monitoring/*", "deploy/*")
    found = (path for pattern in patterns for path in (ROOT / "docs").glob(pattern))
    expected |= {f"lifecycle/{path.relative_to(ROOT).as_posix()}" for path in found}
    expected |= {"lifecycle/py.typed", "purge/py.typed", "lifecycle/README.md"}
    assert names == expected


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith("dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_links_of_its_pages_lead_somewhere(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    pages = list((tmp_path / "lifecycle" / "docs").rglob("*.md"))
    broken = {(page.name, to.name) for page in pages for to in linked(page) if not to.exists()}
    assert len(pages) > 50
    assert broken == set()


@pytest.mark.slow
def test_an_editable_install_finds_the_migrations(source: Path, tmp_path: Path) -> None:
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    python(*install, "--prefix", str(tmp_path), "--editable", str(source), cwd=tmp_path)
    site = sysconfig.get_path("purelib", vars={"base": str(tmp_path)})
    script = f"import site; site.addsitedir({site!r})\n"
    script += "import purge.migrations as found; print(found.__file__)"
    expected = source / "migrations" / "purge" / "__init__.py"
    assert python("-c", script, cwd=tmp_path).strip() == str(expected)


def test_the_metadata_are_whole(wheel: Path) -> None:
    said = metadata(wheel)
    classifiers = said.get_all("Classifier", [])
    assert said["Version"] == PROJECT["version"]
    assert said["License-Expression"] == "BSD-3-Clause"
    assert "retention" in said["Keywords"].split(",")
    assert "Typing :: Typed" in classifiers
    assert len(classifiers) == len(set(classifiers))
    assert said["Description-Content-Type"] == "text/markdown"


def test_the_readme_reads_alone(wheel: Path) -> None:
    """Without an address of the repository its links are words; blocks of code stay as they are."""
    body = str(metadata(wheel).get_payload())
    assert RELATIVE.search(body) is None
    assert 'INSTALLED_APPS += [\n    "django.contrib.postgres",' in body
    assert "add it to an existing" in body.lower()


@pytest.mark.slow
def test_a_publishing_repository_is_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSITORY_URL", f"{REPOSITORY}/")
    (tmp_path / "source").mkdir()
    said = metadata(build_wheel(copy_sources(tmp_path / "source"), tmp_path / "out"))
    urls = dict(each.split(", ") for each in said.get_all("Project-URL", []))
    assert urls["Homepage"] == REPOSITORY
    assert urls["Changelog"] == f"{REPOSITORY}/blob/main/CHANGELOG.md"
    body = str(said.get_payload())
    assert RELATIVE.search(body) is None
    assert f"[The tutorial]({REPOSITORY}/blob/main/docs/tutorial.md)" in body


@pytest.mark.slow
def test_the_wheel_of_the_sdist_has_the_same_files(wheel: Path, tmp_path: Path) -> None:
    """What an sdist leaves out is missing for whoever builds from it, and in what we publish."""
    script = "import pathlib, sys, packaged\n"
    script += "out = pathlib.Path(sys.argv[1])\n"
    script += "made = packaged.build(sys.executable, out, 1_700_000_000, {})\n"
    script += "[(out / name).write_bytes(made[name]) for name in made]"
    subprocess.run(
        [sys.executable, "-c", script, tmp_path], cwd=ROOT, check=True,
        env=os.environ | ENVIRONMENT,
    )  # fmt: skip
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as ours, zipfile.ZipFile(wheel) as other:
        assert sorted(ours.namelist()) == sorted(other.namelist())
        dates = {each.date_time for each in ours.infolist()}
    assert dates == {(2023, 11, 14, 22, 13, 20)}
