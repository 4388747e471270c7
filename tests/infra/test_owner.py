"""The embedded server of a checkout of root: nobody else's uid runs it, and nobody else gets in."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle import embedded
from lifecycle.embedded import keeper, owner
from lifecycle.embedded.location import binaries, place
from tests.infra.servers import answers, ask, data_folder, postmaster

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="root of Linux only"
)

NOBODY = pwd.getpwnam("nobody").pw_uid
STRANGERS = (NOBODY, 12345)  # an account that others share, and a uid without a name


@pytest.fixture(scope="module")
def kept() -> Iterator[Path]:
    """A data folder, with a blank in its name, that has a server."""
    with data_folder("a folder") as path:
        embedded.ensure(path, fsync="off")
        embedded.release(path)
        yield path


def psql(path: Path, uid: int, role: str = "tombstone", **more: Any) -> "subprocess.Popen[str]":
    """What psql of another user's process says to the server of `path`."""
    where = ["-h", str(place(path) / "socket"), "-U", role, "-d", "tombstone", "-w", "-X"]
    return subprocess.Popen(
        [str(binaries(place(path)) / "psql"), *where, "-Atc", "SELECT 'it let me in'"],
        cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        user=uid, **({"group": uid, "extra_groups": []} | more),
    )  # fmt: skip


def said(process: "subprocess.Popen[str]") -> str:
    return process.communicate(timeout=30)[0]


@pytest.mark.parametrize("uid", STRANGERS)
def test_no_other_users_process_gets_in(kept: Path, uid: int) -> None:
    with embedded.server(kept, fsync="off"):
        assert "Permission denied" in said(psql(kept, uid))
        assert said(psql(kept, os.geteuid())) == "it let me in\n"


@pytest.mark.parametrize("uid", STRANGERS)
def test_it_would_not_get_in_through_an_open_folder_either(kept: Path, uid: int) -> None:
    socket = place(kept) / "socket"
    with embedded.server(kept, fsync="off"):
        socket.chmod(0o711)
        try:
            for role in ("tombstone", "postgres"):
                told = said(psql(kept, uid, role))
                assert "authentication failed" in told or "no password supplied" in told
                assert "it let me in" not in told
        finally:
            socket.chmod(0o700)
        assert answers(kept)


def test_the_servers_own_uid_is_nobodys(kept: Path) -> None:
    with embedded.server(kept, fsync="off"):
        process = Path(f"/proc/{postmaster(kept)}/status").read_text()
        uid = int(process.split("Uid:")[1].split()[0])
        assert uid in owner.NUMBERS
        assert not owner._is_known(uid)
        for each in ("socket", "data"):
            assert (place(kept) / each).stat().st_uid == uid
            assert (place(kept) / each).stat().st_mode & 0o077 == 0
        assert "authentication failed" in said(psql(kept, uid))


def test_it_keeps_its_uid_until_somebody_else_has_it(kept: Path) -> None:
    embedded.release(kept)
    before = owner.choose(place(kept))
    assert before
    assert owner.choose(place(kept)) == before
    with subprocess.Popen(["sleep", "600"], user=before.uid, cwd="/") as other:
        after = owner.choose(place(kept))
        other.kill()
    assert after
    assert after != before
    files = [path for path in (place(kept) / "data").rglob("*") if path.lstat().st_uid != after.uid]
    assert files == []
    with embedded.server(kept, fsync="off"):
        assert answers(kept)


def test_two_checkouts_have_two(kept: Path) -> None:
    with data_folder("another") as path:
        place(path).joinpath("socket").mkdir(parents=True)
        mine = owner.choose(place(kept))
        assert mine
        os.chown(place(path) / "socket", mine.uid, mine.gid)
        other = owner.choose(place(kept))
        assert other
        assert other != mine


def test_a_folder_of_nobody_that_trusted_everybody_is_taken_over(kept: Path) -> None:
    """As an earlier version has left it, and with what a process of `nobody` may have put there."""
    home = place(kept)
    with embedded.server(kept, fsync="off"):
        ask(kept, "CREATE TABLE IF NOT EXISTS here AS SELECT 7 AS number")
    for path in (home, *home.rglob("*")):
        if path.is_relative_to(home / "data") or path.is_relative_to(home / "socket"):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    (home / "data" / "pg_hba.conf").write_text("local all all trust\n")
    (home / "data" / "postgresql.auto.conf").write_text("hba_file = 'pg_hba.conf'\n")
    mine, link = home.parent / "of root", home / "data" / "link"
    mine.touch(mode=0o600)
    os.link(mine, link)
    try:
        with embedded.server(kept, fsync="off"):
            assert ask(kept, "SELECT number FROM here") == 7
            assert (home / "data").stat().st_uid in owner.NUMBERS
            (home / "socket").chmod(0o711)
            assert "authentication failed" in said(psql(kept, NOBODY))
        assert mine.stat().st_uid == 0
    finally:
        (home / "socket").chmod(0o700)
        mine.unlink()
        link.unlink()


def test_nobody_cannot_look_on_while_initdb_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one step that runs as `nobody`, which initdb wants to have a name."""
    seen = []

    def fill(fresh: Path, *rest: Any) -> None:
        run = rest[-1]
        for group in (NOBODY, run["group"]):
            look = ["ls", str(fresh)]
            who = {"user": run["user"], "group": group, "extra_groups": []}
            done = subprocess.run(look, capture_output=True, text=True, **who)  # type: ignore[call-overload]
            seen.append((run["user"], group, done.returncode == 0))
        (fresh / "made").touch()

    monkeypatch.setattr(keeper, "_fill", fill)
    with data_folder() as path:
        home = place(path)
        home.mkdir(parents=True)
        home.chmod(0o711)
        keeper.initialise(home, Path(), "u", "n", {"user": 60999, "group": 60999})
        assert seen == [(NOBODY, NOBODY, False), (NOBODY, 60999, True)]
        assert (home / "data" / "made").exists()
        assert (home / "data").stat().st_uid == 60999
        assert not (home / "data.new").exists()
