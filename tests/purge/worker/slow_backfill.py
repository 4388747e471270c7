"""A site whose worker reads a thousand rows at a time."""

from tests.settings import *  # noqa: F403

LIFECYCLE_BACKFILL_RATE = 400
