from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The place of archives."""
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    return tmp_path
