"""Where the embedded server lives: decided from the path alone, never in another's folder."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.embedded import EmbeddedError, location
from tests.infra.servers import ROOT

ORDINARY = 12345  # an ordinary user's uid


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ORDINARY)
    monkeypatch.setenv("XDG_DATA_HOME", "/data-home")


@pytest.mark.usefixtures("ordinary")
class TestOrdinaryUser:
    def test_stays_in_its_folder(self) -> None:
        assert location.place("/srv/my site/.data") == Path("/srv/my site/.data")

    @pytest.mark.parametrize("path", ["/srv/" + "x" * 90, "/srv/a,b"])
    def test_moves_where_a_socket_cannot_be(self, path: str) -> None:
        found = location.place(path)
        assert found.parent == Path("/data-home/django-tombstone")
        assert found == location.place(path) != location.place(path + "y")

    def test_home_is_the_fallback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("XDG_DATA_HOME")
        monkeypatch.setenv("HOME", "/home/ann")
        assert location.place("/a,b").is_relative_to("/home/ann/.local/share")


def test_root_always_moves_out_of_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert location.place("/srv/site/.data").parent == Path("/var/lib/django-tombstone")


def test_no_folder_short_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="XDG_DATA_HOME"):
        location.make_home(tmp_path / ("x" * 100))


def test_a_folder_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ORDINARY)
    refused = pytest.raises(EmbeddedError, match="not a folder of this user")
    with tempfile.TemporaryDirectory(dir="/tmp") as foreign, refused:
        location.make_home(Path(foreign))


def test_a_symlink_in_its_place_is_refused(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        trap = Path(base, "trap")
        trap.symlink_to(tmp_path)
        with pytest.raises(EmbeddedError, match="not a folder of this user"):
            location.make_home(trap)


def test_missing_binaries_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(location, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match=r"django-tombstone\[embedded\]"):
        location.binaries(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="copies for another user only as root")
def test_unreadable_binaries_are_copied_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(location, "_readable_by_others", lambda path: False)
    first = location.binaries(tmp_path)
    assert first.is_relative_to(tmp_path)
    inode = (first / "postgres").stat().st_ino
    assert (location.binaries(tmp_path) / "postgres").stat().st_ino == inode
    version = subprocess.run([first / "postgres", "--version"], capture_output=True, text=True)
    assert version.stdout.startswith("postgres (PostgreSQL) 18")


@pytest.fixture
def public_copy() -> Iterator[Path]:
    """What the server needs, in a folder that an ordinary user can read."""
    site = Path(location.find_spec(location.PACKAGE).origin).parent.parent
    with tempfile.TemporaryDirectory(prefix="ts", dir="/tmp") as base:
        os.chmod(base, 0o755)
        unneeded = shutil.ignore_patterns("include", "*.a", "pginstall", "__pycache__")
        for source in [*site.glob("psycopg*"), *site.glob(f"{location.PACKAGE}*")]:
            shutil.copytree(source, Path(base, source.name), ignore=unneeded, symlinks=True)
        shutil.copy(site / "typing_extensions.py", base)
        package = Path(base, "lifecycle")
        shutil.copytree(ROOT / "lifecycle" / "embedded", package / "embedded", ignore=unneeded)
        shutil.copy(ROOT / "lifecycle" / "exceptions.py", package)
        (package / "__init__.py").touch()
        subprocess.run(["chmod", "-R", "a+rX", base], check=True)
        yield Path(base)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_can_run_it(public_copy: Path) -> None:
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    pythons = map(Path, (sys._base_executable, f"/usr/bin/{ours}"))  # type: ignore[attr-defined]
    able = [each for each in pythons if each.exists() and location._readable_by_others(each)]
    if not able or not shutil.which("setpriv"):
        pytest.skip("no setpriv, or this Python cannot be read by another user")
    python, work = able[0], public_copy / "a home"
    work.mkdir(mode=0o700)
    other = pwd.getpwnam("daemon")  # initdb wants a user that has a name
    os.chown(work, other.pw_uid, other.pw_gid)
    script = "import os, psycopg; from lifecycle import embedded\n"
    script += "with embedded.server('pg') as e:\n"
    script += " with psycopg.connect(host=e['HOST'], user=e['USER'], dbname=e['NAME']) as c:\n"
    script += "  print(os.geteuid(), *c.execute('SELECT current_user').fetchone(), e['HOST'])"
    become = ["setpriv", f"--reuid={other.pw_uid}", f"--regid={other.pw_gid}", "--clear-groups"]
    done = subprocess.run(
        [*become, "--", str(python), "-c", script],
        cwd=work,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(public_copy)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"{other.pw_uid} tombstone {work}/pg/socket\n", done.stderr
    assert (work / "pg" / "data").stat().st_uid == other.pw_uid
