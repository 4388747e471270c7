"""A site that has nothing but hostile tables."""

from demo.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "pgtrigger",
    "huey.contrib.djhuey",
    "lifecycle",
    "purge",
    "tests.hostile",
]
AUTH_USER_MODEL = "auth.User"
DEBUG = False
# The tables are made by what the forms say; no migration would make such ones.
ROOT_URLCONF = "tests.hostile.settings"
urlpatterns: list[object] = []
SILENCED_SYSTEM_CHECKS = ["lifecycle.W014"]
LIFECYCLE_PROOF = None
