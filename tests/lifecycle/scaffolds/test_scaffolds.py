"""`lifecycle scaffold`: pasted into a site with the real packages, and its rows; a guide too."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from lifecycle.scaffolds import names
from tests.demo.telling import own_database
from tests.infra.guides import blocks
from tests.infra.servers import ROOT
from tests.lifecycle.install.project import PACKAGE, Project
from tests.support import sampled

PACKAGES = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "rest_framework_simplejwt.token_blacklist",
    "oauth2_provider",
    "auditlog",
]
SETTINGS = """
from datetime import timedelta
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_urls"
SECRET_KEY = "of the tests, and long enough for a signature of theirs"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
SIMPLE_JWT = {"REFRESH_TOKEN_LIFETIME": timedelta(days=2)}
ACCOUNT_RATE_LIMITS = False
from tests.mailing import mail_settings
globals().update(mail_settings(0, backend="django.core.mail.backends.locmem.EmailBackend"))
"""
URLS = """
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
"""
#: those of packages that all tests have; `make packs` has the others, in tests/packs
SCAFFOLDS = ["admin-log", "allauth", "auditlog", "oauth2", "sessions", "simplejwt"]
#: the scaffolds, and what a guide says to paste
LIVED = [*SCAFFOLDS, "by-tenant"]
LIVES = "from tests.lifecycle.scaffolds.lives import main; main({names!r})"


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, database_server: None, worker_id: str
) -> Iterator[Project]:
    """A site with all the packages, and all scaffolds pasted as they are printed."""
    with own_database(settings.DATABASES["default"], f"test_scaffolds_{worker_id}") as url:
        project = Project(Path(tmp_path_factory.mktemp("scaffolds")), url)
        project.install(*PACKAGES, *PACKAGE, own=("shop", "keep"))
        project.write(
            "site_settings.py", (project.path / "site_settings.py").read_text() + SETTINGS
        )
        project.write("site_urls.py", URLS)
        project.write("keep/models.py", "")
        (project.path / "keep/policies.py").unlink()
        for name, text in blocks(ROOT / "docs/how-to/retention-by-tenant.md").items():
            project.write(f"shop/{name}.py", text)
        printed = project.manage(*(f"lifecycle scaffold {name}" for name in SCAFFOLDS))
        parts = re.findall(
            r"^# (models|policies)\.py of [^\n]*\n(.*?)(?=^# )", printed, re.M | re.S
        )
        for part in ("models", "policies"):
            text = "\n".join(text for name, text in parts if name == part)
            project.write(f"keep/{part}.py", text)
        yield project


@pytest.fixture(scope="module")
def told(site: Project) -> dict[str, str]:
    site.manage(
        "makemigrations -v0", "migrate -v0", "check --database default --fail-level WARNING"
    )
    output = site.manage(("shell", "-v0", "-c", LIVES.format(names=LIVED)), "lifecycle verify")
    return dict(json.loads(next(line for line in output.splitlines() if line.startswith("{"))))


@pytest.mark.parametrize("name", sampled(LIVED, every=3))
def test_a_row_through_its_life(told: dict[str, str], name: str) -> None:
    assert told[name] == ""


def printed(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("lifecycle", "scaffold", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_what_is_printed() -> None:
    assert [line.partition(":")[0] for line in printed()[0].splitlines()] == names()
    for name in names():
        compile(printed(name)[0], name, "exec")
    assert printed("sessions")[1] == ""
    assert printed("oauth2")[1] == "'oauth2_provider' is not in INSTALLED_APPS.\n"
    assert "proxy = True" in printed("sessions", "--only", "models")[0]
    assert printed("sessions", "--only", "policies")[0].startswith("from lifecycle import")


def test_a_name_that_is_none() -> None:
    with pytest.raises(CommandError, match=r"no scaffold 'session'\. Did you mean 'sessions'"):
        printed("session")
