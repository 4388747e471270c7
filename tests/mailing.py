"""The site's mail settings in each way that this Django reads: `MAILERS`, and `EMAIL_*`."""

from typing import Any

import django
import pytest

BACKEND = "django.core.mail.backends.smtp.EmailBackend"
OLD = pytest.param("EMAIL", marks=pytest.mark.filterwarnings("ignore:The EMAIL_"))
#: for parametrize; where Django knows `MAILERS`, it says that EMAIL_* are going
WAYS: list[Any] = ["MAILERS", OLD] if django.VERSION >= (6, 1) else ["EMAIL"]
ADMINS: Any = [("Site", "site@example.com")]
if django.VERSION >= (6, 0):
    ADMINS = ["site@example.com"]


def mail_settings(port: int, way: str = WAYS[0], backend: str = BACKEND) -> dict[str, Any]:
    """Settings of a site whose mail server listens there."""
    if way == "MAILERS":
        options = {"OPTIONS": {"host": "127.0.0.1", "port": port}} if port else {}
        return {"MAILERS": {"default": {"BACKEND": backend, **options}}}
    return {"EMAIL_BACKEND": backend, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port}


def set_mail(settings: Any, port: int, way: str = WAYS[0], backend: str = BACKEND) -> None:
    """The same for the running test; Django refuses the two ways together."""
    if hasattr(settings, "MAILERS"):
        del settings.MAILERS
    for name, value in mail_settings(port, way, backend).items():
        setattr(settings, name, value)
    settings.ADMINS = ADMINS
