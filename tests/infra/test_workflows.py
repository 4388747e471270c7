"""The workflows of a public CI: targets of this Makefile, by pinned actions, without secrets."""

import re

import pytest
import yaml

from tests.infra.servers import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text(encoding="utf-8"))


def test_there_are_two() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


def test_they_load(text: str) -> None:
    loaded = yaml.safe_load(text)
    assert set(loaded) == {"name", True, "permissions", "jobs"} | (set(loaded) & {"concurrency"})
    assert loaded["permissions"] == {"contents": "read"}
    for job in loaded["jobs"].values():
        assert job["timeout-minutes"] <= 90
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


def test_targets_are_those_of_the_makefile(text: str) -> None:
    named = re.findall(r"- run: make (\w+)$", text, re.MULTILINE)
    assert named
    assert set(named) <= TARGETS


def test_actions_are_pinned_by_hash(text: str) -> None:
    used = [line.strip() for line in text.splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.search(line)] == []
    by_name: dict[str, set[str]] = {}
    for line in used:
        name, _, version = line.partition("uses: ")[2].partition("@")
        by_name.setdefault(name, set()).add(version)
    assert [name for name, versions in by_name.items() if len(versions) > 1] == []


def test_there_is_no_secret(text: str) -> None:
    assert "secrets." not in text
    assert "password" not in text
    assert "pull_request_target" not in text
