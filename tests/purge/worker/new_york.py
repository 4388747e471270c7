"""A site whose sessions are in a zone with summer time."""

from tests.settings import *  # noqa: F403

TIME_ZONE = "America/New_York"
DATABASES["default"]["TIME_ZONE"] = TIME_ZONE  # noqa: F405
