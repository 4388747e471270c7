"""The tests' settings with the benchmark's models, whose triggers are installed as the code is."""

import os

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench"]  # noqa: F405
MIGRATION_MODULES = {**MIGRATION_MODULES, "bench": None}  # noqa: F405
EMBEDDED_DATABASE = None  # the benchmark holds the server itself and names its database
DEBUG = False
LIFECYCLE_THROTTLE = {"rest": float(os.environ.get("LARGE_REST") or 0) or None}
SECRET_KEY = "of a database that lives for minutes"
ALLOWED_HOSTS = ["localhost"]
# The benchmark puts the triggers on its tables itself, as the code has them now.
SILENCED_SYSTEM_CHECKS = ["lifecycle.W014", "lifecycle.W026"]
