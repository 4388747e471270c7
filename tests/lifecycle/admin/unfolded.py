"""The tests' settings with django-unfold in the place of Django's own look of the admin."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]  # noqa: F405
ALLOWED_HOSTS = ["testserver"]
