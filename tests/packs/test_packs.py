"""Every scaffold, pasted into a site with all of their packages, from a row to its end."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from lifecycle.scaffolds import names
from tests.demo.telling import own_database
from tests.lifecycle.scaffolds.test_scaffolds import SCAFFOLDS
from tests.packs.site import MODULE, Site, make, paste

LIVED = [*(name for name in names() if name not in SCAFFOLDS), "import-export"]
LIVES = "from tests.lifecycle.scaffolds.lives import main; main({names!r}, {module!r})"


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, database_server: None, worker_id: str
) -> Iterator[Site]:
    with own_database(settings.DATABASES["default"], f"test_packs_{worker_id}") as url:
        yield make(Path(tmp_path_factory.mktemp("packs")), url)


@pytest.fixture(scope="module")
def told(site: Site) -> dict[str, str]:
    site.manage("makemigrations -v0 shop", "migrate -v0")
    paste(site)
    site.manage(
        "makemigrations -v0", "migrate -v0", "check --database default --fail-level WARNING"
    )
    output = site.manage(
        ("shell", "-v0", "-c", LIVES.format(names=LIVED, module=MODULE)), "lifecycle verify"
    )
    return dict(json.loads(next(line for line in output.splitlines() if line.startswith("{"))))


@pytest.mark.parametrize("name", LIVED)
def test_a_row_through_its_life(told: dict[str, str], name: str) -> None:
    assert told[name] == ""
