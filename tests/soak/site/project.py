"""The site as files: a Django project of thirty models, without the package at first."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.infra.servers import ROOT
from tests.soak.site.tables import TABLES, model_text

APPS = ("accounts", "shop", "desk")
SETTINGS = """
import os
from demo import environment

SECRET_KEY = "site"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environment.database()}
SITE_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "accounts", "shop", "desk"]
INSTALLED_APPS = list(SITE_APPS)
"""
INSTALLED = """
from purge.queue import queue

INSTALLED_APPS += [
    "django.contrib.postgres",
    "pgtrigger",
    "huey.contrib.djhuey",
    "lifecycle",
    "purge",
]
MIGRATION_MODULES = {"lifecycle": "migrations.lifecycle", "purge": "migrations.purge"}
HUEY = queue()
"""
POLICIES = {
    "accounts": """
from datetime import timedelta
from django.db.models import F, Q
from lifecycle import Policy, Update, register
from .models import Bounce, Invitation, Login, Passcode, Session, Token

YEAR = timedelta(days=365)
register(
    Policy("tokens", Token, expires=F("expires_at"){later}, cap_fraction=0.2),
    Policy("sessions", Session, expires="expires_at", cap_fraction=0.2),
    Policy("passcodes", Passcode, expires="expires_at", grace=timedelta(seconds=5),
           cap_fraction=0.2),
    Policy("invitations", Invitation, when=Q(state="draft"), expires="expires_at"),
    Policy("bounces", Bounce, when=Q(state="draft"), expires=F("created_at") + YEAR,
           disposition=Update(state="done")),
    Policy("logins", Login, expires=F("created_at") + YEAR),
)
""",
    "shop": """
from datetime import timedelta
from django.db.models import Exists, F, OuterRef, Q
from lifecycle import Policy, register
from .models import Cart, Coupon, Draft, DraftPicture

register(
    Policy({carts}, Cart, when=Q(state="draft"), expires="expires_at",
           cap_fraction=0.2{previously}),
    Policy("coupons", Coupon, expires="expires_at"),
    Policy("drafts", Draft, when=Q(state="draft"), expires="expires_at", grace=timedelta(seconds=5),
           keep_while=Exists(DraftPicture.objects.filter(parent=OuterRef("pk"), state="done"))),
)
""",
    "desk": """
from datetime import timedelta
from django.db.models import F
from lifecycle import Policy, register
from .models import AuditLog, Job

register(
    Policy("audit-logs", AuditLog, expires=F("created_at") + timedelta(days=365), cap_fraction=0.2),
    Policy("jobs", Job, expires="expires_at"),
)
""",
}
NAMES = (
    "audit-logs", "bounces", "carts", "coupons", "drafts", "invitations", "jobs", "logins",
    "passcodes", "sessions", "tokens",
)  # fmt: skip


@dataclass
class Project:
    """A folder with a `manage.py` of its own; the package comes from the checkout."""

    path: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        known = {"DJANGO_SETTINGS_MODULE": "site_settings", "DATABASE_URL": self.url}
        return os.environ | known | {"PYTHONPATH": f"{self.path}{os.pathsep}{ROOT}"}

    def write(self) -> None:
        """The site before it has ever heard of the package."""
        self._write("site_settings.py", SETTINGS)
        for app in APPS:
            models = [model_text(table) for table in TABLES if table.app == app]
            text = "import uuid\n\nfrom django.db import models\n\n\n" + "\n\n\n".join(models)
            self._write(f"{app}/models.py", text)
            self._write(f"{app}/__init__.py", "")
            self._write(f"{app}/migrations/__init__.py", "")

    def install(self) -> None:
        """What the how-to says: settings, and policies."""
        self._write("site_settings.py", SETTINGS + INSTALLED)
        self.declare(later="", carts='"carts"', previously="")

    def change(self) -> None:
        """One policy keeps its rows a day longer, another has a new name."""
        later, previously = " + timedelta(days=1)", ', previously="carts"'
        self.declare(later=later, carts='"shopping-carts"', previously=previously)

    def remove(self) -> None:
        """Out of the settings, and no policies."""
        self._write("site_settings.py", SETTINGS)
        for app in APPS:
            (self.path / app / "policies.py").unlink()

    def declare(self, **parts: str) -> None:
        """Write the policies."""
        for app, text in POLICIES.items():
            for name, value in parts.items():
                text = text.replace(f"{{{name}}}", value)
            self._write(f"{app}/policies.py", text)

    def manage(self, *arguments: str, allow: tuple[int, ...] = (0,)) -> str:
        """Run a command; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=self.path, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode not in allow:
            raise SystemExit(f"{' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """A command that goes on; its output goes to a file."""
        with (self.path / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "django", *arguments]
            return subprocess.Popen(
                command, cwd=self.path, env=self.environment, stdout=log, stderr=log
            )

    def _write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"))
