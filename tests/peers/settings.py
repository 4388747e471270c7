"""A site with all of the packages: their receivers are on, so its tests run in a process of it."""

import os

from demo.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "pgtrigger",
    "huey.contrib.djhuey",
    "lifecycle",
    "purge",
    "mptt",
    "polymorphic",
    "reversion",
    "safedelete",
    "simple_history",
    "taggit",
    "treebeard",
    "tests.peers",
    "django_cleanup.apps.CleanupConfig",
]
AUTH_USER_MODEL = "auth.User"
DATABASES["default"].setdefault("TEST", {})["NAME"] = os.environ.get("PEERS_DATABASE", "test_peers")  # noqa: F405
ROOT_URLCONF = "tests.peers.settings"
urlpatterns: list[object] = []
LIFECYCLE_PROOF = None
