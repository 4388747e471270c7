"""The demo's settings with the tests' own models."""

from demo.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.zoo", "tests.purge.batch.cascades"]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The tree of tests.purge.batch.cascades has every `on_delete`, mixed as no project should.
SILENCED_SYSTEM_CHECKS = ["fields.E323", "models.E050", "lifecycle.W113"]
LIFECYCLE_PROOF = None  # tests that want it say so: others have no log, and no alarm
LIFECYCLE_BACKUP_MAX_AGE = None
ROOT_URLCONF = "tests.urls"
LIFECYCLE_NOTICE_URL = "https://site.example"
