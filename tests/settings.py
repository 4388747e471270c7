"""The demo's settings with the tests' own models."""

from demo.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.zoo", "tests.cascades"]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The tree of tests.cascades has every `on_delete`, mixed as no project should.
SILENCED_SYSTEM_CHECKS = ["fields.E323", "models.E050", "lifecycle.W113"]
