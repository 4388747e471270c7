"""What is in the wheel: two top-level names, the migrations inside them, SQL and all."""

import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.infra.packages import python
from tests.infra.servers import ROOT
from tests.test_docs import linked


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
        for pattern in ("*.py", "*.pyi", "*.sql", "*.html", "*.txt", "*.css"):
            found = (path.relative_to(ROOT) for path in (ROOT / top).rglob(pattern))
            expected |= {path.as_posix() for path in found}
            inside = (ROOT / "migrations" / top).rglob(pattern)
            base = ROOT / "migrations" / top
            expected |= {f"{top}/migrations/{path.relative_to(base).as_posix()}" for path in inside}
    pages = (path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))
    expected |= {f"lifecycle/{path.as_posix()}" for path in pages}
    expected |= {"lifecycle/py.typed", "purge/py.typed", "lifecycle/README.md"}
    assert names == expected


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
