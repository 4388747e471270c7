"""The tests' settings for processes that log in as one role; files go into a folder of theirs."""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403

MEDIA_ROOT = Path(os.environ["FOLDER"], "media")
LIFECYCLE_ARCHIVE_DIR = str(Path(os.environ["FOLDER"], "archives"))
ALLOWED_HOSTS = ["testserver"]
DEBUG = False  # as on a site: some advice is only given there
LIFECYCLE_MAX_LAG = 10**6  # rows of these tests are past their end when they are written
