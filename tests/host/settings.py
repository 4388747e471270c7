"""A host site whose test suite is run as its owner would run it."""

import os

from demo.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.host"]  # noqa: F405
DATABASES["default"].setdefault("TEST", {})["NAME"] = os.environ.get("HOST_DATABASE", "test_host")  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.host.urls"
LIFECYCLE_PROOF = None
