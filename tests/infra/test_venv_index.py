"""`.ci/venv.py` and where packages come from: uv or pip, pip's settings, a cache, or nowhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.local_index import Index, serving
from tests.infra.servers import ROOT

NOWHERE = "http://127.0.0.1:9/simple"
FIND = """
import functools, subprocess, sys, pinned_uv
run = functools.partial(subprocess.run, stdout=-1, stderr=-2, text=True)
print(pinned_uv.find([sys.executable, "-m", "pip"], run, sys.argv[1])[0] or "")
"""


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pinned uv, fetched unless it is in the user's cache."""
    scratch = tmp_path_factory.mktemp("uv")
    command = [sys.executable, "-c", FIND, str(scratch)]
    done = subprocess.run(command, cwd=ROOT / ".ci", capture_output=True, text=True, check=True)
    if not done.stdout.strip():
        assert not os.environ.get("CI"), "uv cannot be had"
        pytest.skip("uv is not in the cache and no package index can be reached")
    return Path(done.stdout.strip())


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a user whose caches are empty and whose only setting is pip's file."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(ROOT / ".ci", tmp_path / "a clone" / ".ci")
    return tmp_path / "a clone"


@pytest.fixture
def index(checkout: Path) -> Iterator[Index]:
    with serving(checkout.parent / "index") as index:
        point_pip_to(index.url)
        yield index


def point_pip_to(url: str) -> None:
    Path(os.environ["PIP_CONFIG_FILE"]).write_text(f"[global]\nindex-url = {url}\n")


def keep_uv(uv: Path) -> None:
    cache = Path(os.environ["XDG_CACHE_HOME"], "django-tombstone")
    cache.mkdir(parents=True)
    (cache / uv.name).symlink_to(uv)


def make(checkout: Path, *locked: str) -> subprocess.CompletedProcess[str]:
    (checkout / "requirements.lock").write_text("".join(locked))
    command = [sys.executable, ".ci/venv.py"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=120)


def installers(checkout: Path) -> dict[str, str]:
    """Each installed distribution, and what installed it."""
    files = checkout.glob(".venv/lib/*/site-packages/*.dist-info/INSTALLER")
    return {file.parent.name.partition("-")[0]: file.read_text().strip() for file in files}


def is_whole(checkout: Path) -> bool:
    return (checkout / ".venv" / "requirements.lock").exists()


@pytest.mark.slow
def test_uv_asks_the_index_that_pip_is_set_to_and_its_cache_when_that_is_gone(
    checkout: Path, index: Index, uv: Path
) -> None:
    keep_uv(uv)
    lock = index.add("first", "1.0")
    done = make(checkout, lock)
    assert (done.returncode, installers(checkout)) == (0, {"first": "uv"}), done
    shutil.rmtree(checkout / ".venv")
    point_pip_to(index.url)
    shutil.rmtree(index.folder)
    done = make(checkout, lock)
    assert (done.returncode, installers(checkout)) == (0, {"first": "uv"}), done


@pytest.mark.slow
def test_a_file_that_is_not_the_locked_one_is_refused(
    checkout: Path, index: Index, uv: Path
) -> None:
    keep_uv(uv)
    lock = index.add("first", "1.0")
    index.add("first", "1.0", "Summary: another")
    done = make(checkout, lock)
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert "127.0.0.1" not in done.stderr
    assert "could be reached" not in done.stderr
    assert not is_whole(checkout)


@pytest.mark.slow
def test_without_uv_pip_takes_the_lock_alone(checkout: Path, index: Index) -> None:
    """A pip before 23.1 that looks at extras takes their newest, whose hash is not in the lock."""
    second = index.add("second", "1.0", "Provides-Extra: more")
    index.add("second", "2.0", "Provides-Extra: more")
    first = index.add("first", "1.0", "Requires-Dist: second[more]>=1")
    done = make(checkout, first, second)
    assert done.returncode == 0, done
    made = installers(checkout)
    assert (made["first"], made["second"]) == ("pip", "pip")
    assert list(checkout.glob(".venv/lib/*/site-packages/second-1.0.dist-info"))


@pytest.mark.slow
def test_where_nothing_is_reached_one_line_says_so(checkout: Path) -> None:
    point_pip_to(NOWHERE)
    done = make(checkout, "first==1.0 --hash=sha256:" + "0" * 64 + "\n")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no package index could be reached" in done.stderr
    assert "127.0.0.1" not in done.stderr + done.stdout
    assert not is_whole(checkout)


def test_without_a_cache_of_the_user_the_checkout_has_one(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    code = "import sys; sys.path.insert(0, '.ci'); import pinned_uv; print(pinned_uv.cache())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == checkout / ".venv.cache"
