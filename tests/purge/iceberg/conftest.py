"""Where the tables of this folder's tests are."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The folder that archives go to."""
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path
