"""A site with every package that a scaffold is for, and the text of all scaffolds pasted."""

from pathlib import Path

from lifecycle.scaffolds import names
from tests.infra.guides import blocks
from tests.infra.servers import ROOT
from tests.lifecycle.install.project import PACKAGE, Project
from tests.lifecycle.scaffolds.test_scaffolds import SETTINGS, URLS

MODULE = "tests.packs.lives"
APPS = [
    "shop",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.sessions",
    "actstream",
    "allauth",
    "allauth.account",
    "auditlog",
    "axes",
    "django_celery_results",
    "django_otp",
    "django_otp.plugins.otp_email",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_otp_webauthn",
    "django_q",
    "easyaudit",
    "guardian",
    "import_export",
    "knox",
    "oauth2_provider",
    "post_office",
    "rest_framework_simplejwt.token_blacklist",
    "reversion",
    "silk",
    "simple_history",
]
MORE = """
import os
from datetime import timedelta
MIDDLEWARE = [
    "silk.middleware.SilkyMiddleware",
    *MIDDLEWARE,
    "easyaudit.middleware.easyaudit.EasyAuditMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AXES_FAILURE_LIMIT = 3
AXES_COOLOFF_TIME = timedelta(days=40)
AXES_ENABLE_ACCESS_FAILURE_LOG = True
DJANGO_EASY_AUDIT_REGISTERED_CLASSES = ["auth.group"]
DJANGO_EASY_AUDIT_REGISTERED_URLS = [r"^/audited"]
IMPORT_EXPORT_SKIP_ADMIN_CONFIRM = True
MEDIA_ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "media")
OTP_WEBAUTHN_RP_ID = "example.com"
OTP_WEBAUTHN_RP_NAME = "Example"
OTP_WEBAUTHN_ALLOWED_ORIGINS = ["https://example.com"]
POST_OFFICE = {"BACKENDS": {"default": "django.core.mail.backends.locmem.EmailBackend"}}
Q_CLUSTER = {"name": "site", "orm": "default", "timeout": 60, "retry": 90}
Q_CLUSTER |= {"save_limit": 0, "ack_failures": True}
SILKY_INTERCEPT_FUNC = lambda request: request.path == "/profiled"
SILKY_MAX_RECORDED_REQUESTS_CHECK_PERCENT = 0
SILKY_PYTHON_PROFILER = SILKY_PYTHON_PROFILER_BINARY = True
SILKY_STORAGE_CLASS = "profiles.ProfilerStorage"
SILENCED_SYSTEM_CHECKS = ["lifecycle.I122"]
STATIC_URL = "/static/"
WAGTAIL_SITE_NAME = "Site"
WAGTAILADMIN_BASE_URL = "https://example.com"
"""
SHOP = """
import reversion
from django.db import models
from simple_history.models import HistoricalRecords


class Note(models.Model):
    title = models.CharField(max_length=99)
    history = HistoricalRecords()


@reversion.register()
class Letter(models.Model):
    text = models.TextField()
"""
MORE_URLS = """
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpResponse
from import_export.admin import ImportExportModelAdmin

admin.site.unregister(Group)
admin.site.register(Group, ImportExportModelAdmin)


def page(request):
    return HttpResponse(str(Group.objects.count()))


urlpatterns += [
    path("admin/", admin.site.urls),
    path("audited", page),
    path("profiled", page),
]
"""
#: to a file, for the packages' own warnings are printed too
PRINT = """
from django.core.management import call_command

with open({path!r}, "w") as file:
    for name in {names!r}:
        call_command("lifecycle", "scaffold", name, only={part!r}, stdout=file)
"""


class Site(Project):
    """Warnings of that many packages are not ours, and their migrations take their time."""

    warnings = ()
    timeout = 900.0


#: a model of a package that has files, and goes along with users
PICTURES = {
    "models": """
from wagtail.users.models import UserProfile


class UserPicture(UserProfile):
    class Meta:
        proxy = True
        default_permissions = ()
""",
    "policies": """
from lifecycle import track_media

from .models import UserPicture

track_media(UserPicture)
""",
}


def make(path: Path, url: str) -> Site:
    """The site, before any scaffold is pasted."""
    site = Site(path, url)
    site.install(*APPS, *PACKAGE, own=("keep",))
    settings = (path / "site_settings.py").read_text() + SETTINGS + MORE
    site.write("site_settings.py", settings)
    site.write("site_urls.py", URLS + MORE_URLS)
    site.write("shop/models.py", SHOP)
    site.write("profiles.py", blocks(ROOT / "docs/how-to/packages.md")["profiles"])
    site.write("keep/models.py", "")
    (path / "keep/policies.py").unlink()
    return site


def paste(site: Site) -> None:
    """All scaffolds, as `--only` prints each."""
    for part in ("models", "policies"):
        code = PRINT.format(path=str(site.path / "printed"), names=names(), part=part)
        site.manage(("shell", "-v0", "-c", code))
        site.write(f"keep/{part}.py", (site.path / "printed").read_text() + PICTURES[part])
