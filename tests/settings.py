"""The demo's settings with the tests' own models."""

from demo.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.zoo", "tests.cascades"]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
