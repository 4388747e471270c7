"""The embedded server: started once, shared, gone with its last user, however that one ends."""

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lifecycle import embedded
from lifecycle.embedded.location import place
from lifecycle.embedded.session import Session
from tests.infra.servers import (
    ROOT,
    User,
    answers,
    ask,
    data_folder,
    is_alive,
    parent,
    postmaster,
    until,
)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@pytest.fixture(scope="module")
def kept() -> Iterator[Path]:
    """A data folder for tests that leave it usable; made once, as initdb takes its time."""
    with data_folder() as path:
        embedded.ensure(path, fsync="off")
        embedded.release(path)
        yield path


def test_runs_inside_the_block_and_keeps_its_data(kept: Path) -> None:
    with embedded.server(kept, fsync="off") as entry:
        assert entry == embedded.database(kept)
        ask(kept, "CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS number")
        pid = postmaster(kept)
    assert not is_alive(pid)
    with embedded.server(kept, fsync="off"):
        assert ask(kept, "SELECT number FROM kept") == 7


def test_settings_of_the_server(kept: Path) -> None:
    expected = {"timezone": "UTC", "server_encoding": "UTF8", "max_connections": "100"}
    expected |= {"listen_addresses": "", "fsync": "on", "work_mem": "5MB"}
    with embedded.server(kept, work_mem="5MB"):
        found = {name: ask(kept, f"SHOW {name}") for name in expected}
        assert ask(kept, "SELECT upper('é')") == "É"
    assert found == expected


def test_socket_is_in_a_folder_of_its_owner_alone(kept: Path) -> None:
    with embedded.server(kept, fsync="off") as entry:
        assert stat.S_IMODE(Path(entry["HOST"]).stat().st_mode) == 0o700


def test_a_second_process_shares_it_and_survives_the_first(kept: Path) -> None:
    first = User(kept).wait_ready()
    second = User(kept).wait_ready()
    pid = postmaster(kept)
    first.end()
    assert answers(kept)
    assert postmaster(kept) == pid
    second.end()
    assert not is_alive(pid)


def test_many_processes_at_once_start_one_server(kept: Path) -> None:
    users = [User(kept) for _ in range(6)]
    for user in users:
        user.wait_ready()
    assert ask(kept, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    pid = postmaster(kept)
    for user in users:
        assert answers(kept)
        user.end()
    assert not is_alive(pid)


def test_a_killed_user_does_not_leave_it_running(kept: Path) -> None:
    user = User(kept).wait_ready()
    pid = postmaster(kept)
    user.kill()
    until(lambda: not is_alive(pid))


def test_a_new_user_the_moment_the_last_is_killed(kept: Path) -> None:
    # It finds the server running, or shutting down and starts another: either way it has one.
    for _ in range(3):
        user = User(kept).wait_ready()
        user.kill()
        with embedded.server(kept, fsync="off"):
            assert answers(kept)


def test_a_killed_starter_takes_nothing_from_the_others(kept: Path) -> None:
    starter = User(kept).wait_ready()
    other = User(kept).wait_ready()
    starter.kill()
    assert answers(kept)
    other.end()


def test_a_killed_keeper_takes_the_server_along_and_ensure_mends_it(kept: Path) -> None:
    with embedded.server(kept, fsync="off"):
        pid = postmaster(kept)
        os.kill(parent(pid), signal.SIGKILL)
        until(lambda: not is_alive(pid))
        embedded.ensure(kept, fsync="off")
        assert answers(kept)


def test_a_killed_server_is_started_again(kept: Path) -> None:
    with embedded.server(kept, fsync="off"):
        keeper = parent(postmaster(kept))
        os.kill(postmaster(kept), signal.SIGKILL)
        until(lambda: not is_alive(keeper))
        embedded.ensure(kept, fsync="off")
        assert answers(kept)


def test_a_stale_pid_file_that_names_a_living_process(kept: Path) -> None:
    # What a power cut leaves, once the pid has been given to somebody else.
    lines = [str(os.getppid()), str(place(kept) / "data"), "0", "5432", "", "", "", "ready"]
    (place(kept) / "data" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    with embedded.server(kept, fsync="off"):
        assert answers(kept)


def test_a_fork_does_not_end_its_parents_use(kept: Path) -> None:
    with embedded.server(kept, fsync="off"):
        script = "import os, sys; from lifecycle import embedded; embedded.ensure(sys.argv[1])\n"
        script += "if os.fork() == 0: sys.exit(0)\n"
        script += "os.wait(); embedded.ensure(sys.argv[1]); print('ok')"
        command = [sys.executable, "-c", script, str(kept)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr
        assert answers(kept)


def test_a_wrong_option_is_told_with_the_log(kept: Path) -> None:
    with pytest.raises(embedded.EmbeddedError, match="no_such_setting"):
        embedded.ensure(kept, no_such_setting="1")
    with embedded.server(kept, fsync="off"):
        assert answers(kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["with a space", "x" * 120, "a,b", "ünï'c$(ode)"])
def test_awkward_folders(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with data_folder(name) as path:
        monkeypatch.setenv("XDG_DATA_HOME", str(path.parent / "home"))
        path.parent.chmod(0o700)
        (place(path) / "data.new" / "left by a killed initdb").mkdir(parents=True)
        with embedded.server(path, fsync="off"):
            assert answers(path)


def test_release_without_ensure_does_nothing(kept: Path) -> None:
    embedded.release(kept)


def test_without_a_server_nothing_answers(kept: Path) -> None:
    with pytest.raises(psycopg.OperationalError):
        ask(kept, "SELECT 1")


def test_a_server_that_recovers_is_waited_for(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no connections for a moment, and is not gone: none is to be started beside it."""
    with embedded.server(kept, fsync="off"):
        before = postmaster(kept)
        answered = iter([False, False, True])
        monkeypatch.setattr(Session, "_answers", lambda self: next(answered))
        other = threading.Thread(target=embedded.ensure, args=(kept,), daemon=True)
        other.start()
        other.join(20)
        assert not other.is_alive()
        assert postmaster(kept) == before
