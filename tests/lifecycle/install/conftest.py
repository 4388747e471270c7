"""One project for a module; its tests are one story, in order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.demo.telling import own_database
from tests.lifecycle.install.project import Project


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, database_server: None, request: pytest.FixtureRequest,
    worker_id: str,
) -> Iterator[Project]:  # fmt: skip
    name = f"test_{request.module.__name__.rpartition('.')[2]}_{worker_id}"
    with own_database(settings.DATABASES["default"], name) as url:
        yield Project(Path(tmp_path_factory.mktemp("project")), url)
