"""The first hour and the README done word for word, in the project of the tutorial."""

import signal
import subprocess
from pathlib import Path

from django.conf import settings

from tests.demo.telling import own_database
from tests.infra.conftest import source, wheel  # noqa: F401
from tests.infra.guides import Folder, blocks, follow
from tests.infra.servers import ROOT, until
from tests.infra.test_install import README, index, tutorial  # noqa: F401

FIRST_HOUR = ROOT / "docs" / "how-to" / "the-first-hour.md"


def test_the_first_hour_works_word_for_word(tutorial: Folder) -> None:  # noqa: F811
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


def count(folder: Folder, manager: str) -> int:
    code = f"from shop.models import Cart; print(Cart.objects.{manager}count())"
    return int(folder.run(f'python manage.py shell -v0 -c "{code}"'))


def test_the_readme_works_word_for_word(
    tutorial: Folder,  # noqa: F811
    tmp_path: Path,
    database_server: None,
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
