"""The site that stays up after the story, and who may look into its admin."""

import http.client
import secrets
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model

USER = "demo"


def password() -> str:
    """Made once, kept in the data folder, so that every run prints the same one."""
    path = Path(settings.DATA_DIR, "demo-password")
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return path.read_text()


def admin_user() -> str:
    """Have the admin's user in the database; returns the password."""
    users = get_user_model()._default_manager
    user, _ = users.get_or_create(
        username=USER, defaults={"is_staff": True, "is_superuser": True, "email": ""}
    )
    if not user.check_password(password()):
        user.set_password(password())
        user.save(update_fields=["password"])
    return password()


def answers(port: int) -> bool:
    """Whether the site answers, whatever it says."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/admin/login/")
            with connection.getresponse() as answer:
                return answer.status < http.client.INTERNAL_SERVER_ERROR
        except OSError:
            return False
