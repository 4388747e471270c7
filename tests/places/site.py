"""Settings of a site in several places, for processes of their own."""

import os

from demo import postgres_url
from tests.settings import *  # noqa: F403

DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True  # noqa: F405
LIFECYCLE_DIRECT_URL = os.environ.get("LIFECYCLE_DIRECT_URL", "")
for name in ("second", "replica"):
    if url := os.environ.get(f"{name.upper()}_URL"):
        DATABASES[name] = postgres_url.parse(url)  # noqa: F405
if "ROUTER" in os.environ:
    DATABASE_ROUTERS = [os.environ["ROUTER"]]
