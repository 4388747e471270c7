"""Every scaffold, pasted into a site with all of their packages, from a row to its end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from lifecycle.scaffolds import names
from tests.demo.telling import own_database
from tests.lifecycle.scaffolds.test_scaffolds import SCAFFOLDS
from tests.packs.site import MODULE, Site, make, paste

LIVED = [*(name for name in names() if name not in SCAFFOLDS), "import-export"]
LIVES = "from tests.lifecycle.scaffolds.lives import main; main({names!r}, {module!r})"


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, database_server: None, worker_id: str
) -> Iterator[Site]:
    with own_database(settings.DATABASES["default"], f"test_packs_{worker_id}") as url:
        yield make(Path(tmp_path_factory.mktemp("packs")), url)


#: the models that each scaffold has policies on, in this site
MODELS = {
    "activity-stream": {"actstream.Action"},
    "admin-log": {"admin.LogEntry"},
    "allauth": {"auth.User"},
    "auditlog": {"auditlog.LogEntry"},
    "axes": {"axes.AccessAttempt", "axes.AccessFailureLog", "axes.AccessLog"},
    "celery-results": {"django_celery_results.GroupResult", "django_celery_results.TaskResult"},
    "easy-audit": {"easyaudit.CRUDEvent", "easyaudit.LoginEvent", "easyaudit.RequestEvent"},
    "guardian": {"guardian.GroupObjectPermission", "guardian.UserObjectPermission"},
    "knox": {"knox.AuthToken"},
    "oauth2": {
        f"oauth2_provider.{name}"
        for name in ("AccessToken", "DeviceGrant", "Grant", "IDToken", "RefreshToken")
    },
    "otp": {"otp_email.EmailDevice", "otp_static.StaticDevice", "otp_totp.TOTPDevice"},
    "post-office": {"post_office.Attachment", "post_office.Email"},
    "q2": {"django_q.Task"},
    "reversion": {"reversion.Revision"},
    "sessions": {"sessions.Session"},
    "silk": {"silk.Profile", "silk.Request", "silk.SQLQuery"},
    "simple-history": {"shop.HistoricalNote"},
    "simplejwt": {"token_blacklist.OutstandingToken"},
    "wagtail": {"wagtailcore.ModelLogEntry", "wagtailcore.PageLogEntry", "wagtailcore.Revision"},
    "webauthn": {"django_otp_webauthn.WebAuthnCredential"},
}
#: whose rows all go along with rows that end by a scaffold
ALONG = {"silk.Response", "reversion.Version", "token_blacklist.BlacklistedToken"}
WRITE = ("shell", "-v0", "-c", """
import json
from django.core.management import call_command

with open("told", "w") as file:
    call_command("lifecycle", "adopt", json=True, write="keep", stdout=file)
""")  # fmt: skip


@pytest.fixture(scope="module")
def adopted(site: Site) -> dict[str, Any]:
    """What `adopt --write` says, before anything is pasted; and that Django can work with it."""
    site.manage("makemigrations -v0 shop", "migrate -v0")
    site.manage(WRITE)
    site.manage("makemigrations -v0 --dry-run", "check --fail-level ERROR")
    (site.path / "written.py").write_text((site.path / "keep/policies.py").read_text())
    (site.path / "keep/policies.py").unlink()
    site.write("keep/models.py", "")
    return dict(json.loads((site.path / "told").read_text()))


def test_adopt_proposes_the_right_one_for_each(adopted: dict[str, Any]) -> None:
    assert MODELS.keys() == {*names()}
    found = {each["model"]: each for each in adopted["tables"]}
    proposed = {(e["name"], m) for m, e in found.items() if e["proposed"] == "scaffold"}
    assert proposed == {(name, model) for name, models in MODELS.items() for model in models}
    assert {m for m, e in found.items() if e["proposed"] == "goes along"} >= ALONG
    others = {m: e for m, e in found.items() if e["proposed"] in ("guess", "nothing")}
    assert "guess" not in {e["proposed"] for m, e in others.items() if e["owner"]}
    assert {m for m, e in others.items() if not e["owner"]} == {"shop.Letter", "shop.Note"}


def test_adopt_writes_all_of_them(adopted: dict[str, Any], site: Site) -> None:
    written = {Path(path).name: {*what} for path, what in adopted["written"].items()}
    assert written["policies.py"] == {*names()}
    assert written["models.py"] == {*names()} - {"simple-history"}
    text = (site.path / "written.py").read_text()
    assert {line for line in text.splitlines() if line.startswith("# adopted: ")} == {
        f"# adopted: {name}" for name in names()
    }


@pytest.fixture(scope="module")
def told(adopted: dict[str, Any], site: Site) -> dict[str, str]:
    paste(site)
    site.manage(
        "makemigrations -v0", "migrate -v0", "check --database default --fail-level WARNING"
    )
    output = site.manage(
        ("shell", "-v0", "-c", LIVES.format(names=LIVED, module=MODULE)), "lifecycle verify"
    )
    return dict(json.loads(next(line for line in output.splitlines() if line.startswith("{"))))


@pytest.mark.parametrize("name", LIVED)
def test_a_row_through_its_life(told: dict[str, str], name: str) -> None:
    assert told[name] == ""
