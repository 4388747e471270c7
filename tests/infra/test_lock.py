"""requirements.lock: closed on every Python, taken by old pips, and nothing but pins and hashes."""

import os
import re
import runpy
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.infra.closed import closures
from tests.infra.servers import ROOT

LOCK, PYPROJECT = ROOT / "requirements.lock", ROOT / "pyproject.toml"
DOCS_LOCK = ROOT / "requirements-docs.lock"
LOCKS = sorted(ROOT.glob("requirements*.lock"))
# The oldest that is promised for each Python; older ones do not run on the newer Pythons.
OLD_PIPS = {(3, 11): "23.0", (3, 12): "23.2.1", (3, 13): "24.2"}
OLD_PIP = OLD_PIPS.get(sys.version_info[:2], "25.2")


def problems(lock: str) -> set[str]:
    return set().union(*(closure.problems for closure in closures(lock, PYPROJECT)))


#: of which an older version is locked for an older Python
BY_PYTHON = ("django", "django-unfold")


def without(line: str) -> str:
    """The lock without the package whose line begins so."""
    lock, removed = re.subn(rf"^{line}.*\n(?:    --hash.*\n)+", "", LOCK.read_text(), flags=re.M)
    assert removed == 1
    return lock


def test_the_lock_is_closed() -> None:
    found = closures(LOCK.read_text(), PYPROJECT)
    assert problems(LOCK.read_text()) == set()
    assert all(len(closure.reached) > 80 for closure in found)


def test_only_what_others_install_cannot_be_seen() -> None:
    """Anything else unseen would mean that .venv is not the lock's."""
    for closure in closures(LOCK.read_text(), PYPROJECT):
        both = {f"{name}=={closure.locked[name]}" for name in BY_PYTHON}
        others = {"async-timeout==5.0.1"} | (
            both - {f"{name}=={version(name)}" for name in BY_PYTHON}
        )
        assert closure.unseen <= others


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "asker"),
    [
        ("coverage==", "pytest-cov"),
        ("psycopg-binary==", "psycopg"),
        ("filelock==", "cachecontrol"),
        ("async-timeout==", "redis"),
        (r"django==6\.", "the project"),
        ("pip==", "the project"),
    ],
)
def test_a_package_that_is_missing_is_found(line: str, asker: str) -> None:
    """The second and third are asked for by an extra only, the next two on some Pythons only."""
    name = line.partition("==")[0]
    found = {
        problem for problem in problems(without(line)) if f"asks for {name}" in problem.lower()
    }
    assert any(problem.startswith(asker) for problem in found)
    assert all(problem.endswith("locked is None") for problem in found)


def test_a_version_that_does_not_fit_is_found() -> None:
    lock = re.sub(r"^coverage==\S+", "coverage==7.10.5", LOCK.read_text(), flags=re.M)
    assert any("coverage[toml]" in problem for problem in problems(lock))


def test_a_version_locked_twice_for_a_python_is_found() -> None:
    lock = LOCK.read_text().replace("python_full_version < '3.12'", "python_full_version < '3.13'")
    assert problems(lock) == {f"{name} is locked twice" for name in BY_PYTHON}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_it_holds_pins_and_hashes_only(lock: Path) -> None:
    pin = r"[a-z0-9-]+==[\w.]+(?: ; [^\\:/]+)? \\"
    for line in lock.read_text().splitlines():
        assert re.fullmatch(rf"{pin}|    --hash=sha256:[0-9a-f]{{64}}(?: \\)?", line), line


def test_what_both_locks_have_is_of_one_version() -> None:
    lines = [set(re.findall(r"^[\w.-]+==.*", lock.read_text(), re.M)) for lock in (LOCK, DOCS_LOCK)]
    names = [{line.partition("==")[0] for line in each} for each in lines]
    both = names[0] & names[1]
    assert {"django", "psycopg", "huey"} <= both
    pins = [
        {pin for line in each if (pin := line.split()[0]).partition("==")[0] in both}
        for each in lines
    ]
    assert pins[1] - pins[0] == set()


def test_each_version_of_all_locks_is_audited_once() -> None:
    audit = runpy.run_path(str(ROOT / ".ci" / "audit.py"))
    assert len(LOCKS) > 2
    text = "".join(lock.read_text() for lock in LOCKS)
    rounds = audit["rounds"](text)
    pins = set(re.findall(r"^[\w.-]+==[^\s;]+", text, flags=re.M))
    assert sorted(pin for pins in rounds for pin in pins) == sorted(pins)
    djangos = [len([pin for pin in pins if pin.startswith("django==")]) for pins in rounds]
    assert djangos[:2] == [1, 1]
    assert sum(djangos) == 2


def pip_of(version: str, folder: Path) -> dict[str, str]:
    """The environment in which `python -m pip` is of this version; skips where it cannot be had."""
    target = ["--quiet", "--no-deps", "--target", str(folder), f"pip=={version}"]
    install = [sys.executable, "-m", "pip", "install", *target]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        assert not os.environ.get("CI"), done.stderr
        pytest.skip("no package index can be reached")
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.slow
def test_an_old_pip_takes_the_lock(tmp_path: Path) -> None:
    variables = pip_of(OLD_PIP, tmp_path / "pip")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "new"], check=True)
    pip = [str(tmp_path / "new" / "bin" / "python"), "-m", "pip"]
    said = subprocess.run([*pip, "--version"], env=variables, capture_output=True, text=True)
    assert said.stdout.startswith(f"pip {OLD_PIP} ")
    options = ["--dry-run", "--no-deps", "--require-hashes", "--requirement", str(LOCK)]
    done = subprocess.run(
        [*pip, "install", *options], env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    would = done.stdout.partition("Would install ")[2].split()
    assert f"pytest-{version('pytest')}" in would
    assert len([name for name in would if name.startswith("Django-")]) == 1
