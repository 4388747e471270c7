"""A site that is checked strictly."""

SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "lifecycle",
    "purge",
    "shop",
]
