"""The host site when nobody has run `makemigrations` since the policies were declared."""

from tests.host.settings import *  # noqa: F403

MIGRATION_MODULES = {**MIGRATION_MODULES, "host": "tests.host.before_policies"}  # noqa: F405
