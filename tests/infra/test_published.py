"""What is published beside the code: a changelog in its form, an sdist, a bill of materials."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from itertools import pairwise

import pytest

from tests.infra.scripts import ENVIRONMENT
from tests.infra.servers import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
HEAD = re.compile(r"^## \[(?P<name>Unreleased|\d+\.\d+\.\d+)\](?: - (?P<date>\d{4}-\d\d-\d\d))?$")


def problems(changelog: str) -> list[str]:
    """What in a changelog is not as Keep a Changelog has it."""
    found, names, dates, kinds = [], [], [], []
    for line in changelog.splitlines():
        if line.startswith("## "):
            head = HEAD.match(line)
            if head is None or (head["name"] == "Unreleased") == bool(head["date"]):
                found.append(line)
                continue
            names.append(head["name"])
            dates += [head["date"]] if head["date"] else []
            kinds = []
        elif line.startswith("### "):
            kinds.append(line.removeprefix("### "))
            if kinds[-1] not in KINDS or kinds.count(kinds[-1]) > 1 or not names:
                found.append(line)
    numbers = [[int(part) for part in name.split(".")] for name in names if name[0] != "U"]
    found += [] if names[:1] == ["Unreleased"] else ["Unreleased does not come first"]
    found += [str(pair) for pair in pairwise(numbers) if pair[0] <= pair[1]]
    found += [str(pair) for pair in pairwise(dates) if pair[0] < pair[1]]
    return found


def test_the_changelog_keeps_its_form() -> None:
    assert CHANGELOG.startswith("# Changelog\n")
    assert problems(CHANGELOG) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "## [Unreleased]\n### Improved\n",
        "## [Unreleased]\n### Added\n### Added\n",
        "## [0.2.0]\n",
        "## [Unreleased]\n## [0.2.0]\n",
        "## [Unreleased]\n## [0.1.0] - 2027-01-01\n## [0.2.0] - 2026-01-01\n",
        "## [Unreleased]\n## [0.2.0] - 2026-01-01\n## [0.1.0] - 2027-01-01\n",
    ],
)
def test_another_form_is_told(wrong: str) -> None:
    assert problems(wrong) != []


def test_the_version_is_in_one_place() -> None:
    """Whoever wants it at run time asks the metadata of what is installed."""
    found = []
    for top in ("lifecycle", "purge", "demo", "docs", "setup.py", "README.md", ".ci"):
        paths = [ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*.*")
        for path in paths:
            if path.suffix in {".py", ".pyi", ".md", ".html"}:
                text = path.read_text(encoding="utf-8")
                found += [str(path)] if "__version__ =" in text else []
                found += [str(path)] if f"django-tombstone=={PROJECT['version']}" in text else []
    assert found == []


def test_an_sdist_is_repacked_without_whose_it_was() -> None:
    """The same members of other dates and owners, in another order, are the same bytes."""

    def packed(names: list[str], date: int, owner: str) -> bytes:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w:gz") as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size, member.mtime, member.uname = len(name), date, owner
                archive.addfile(member, io.BytesIO(name.encode()))
        return raw.getvalue()

    script = "import sys; from packaged import repacked\n"
    script += "sys.stdout.buffer.write(repacked(sys.stdin.buffer.read(), 1_700_000_000))"
    made = [packed(["p/a", "p/b"], 1, "jo"), packed(["p/b", "p/a"], 2, "ann")]
    first, second = (
        subprocess.run(
            [sys.executable, "-c", script], input=each, capture_output=True, check=True,
            env=os.environ | ENVIRONMENT,
        ).stdout
        for each in made
    )  # fmt: skip
    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        assert [(each.name, each.mtime) for each in archive] == [
            ("p/a", 1_700_000_000), ("p/b", 1_700_000_000),
        ]  # fmt: skip


def test_the_bill_of_materials_has_what_is_asked_for() -> None:
    """Each extra's packages and theirs, each at the version of the lock; none of the tools."""
    script = "import json, bom; about = bom.project()\n"
    script += "print(json.dumps(bom.bill(about, *bom.closure(about))))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | ENVIRONMENT | {"SOURCE_DATE_EPOCH": "1700000000"},
    )  # fmt: skip
    bill = json.loads(done.stdout)
    parts = {each["name"]: each for each in bill["components"]}
    assert {"django", "psycopg", "huey", "asgiref", "pyarrow", "boto3", "botocore"} <= set(parts)
    assert {"pytest", "mypy", "moto", "playwright"} & set(parts) == set()
    lock = (ROOT / "requirements.lock").read_text()
    assert [n for n, p in parts.items() if f"\n{n}=={p['version']} " not in f"\n{lock}"] == []
    assert all(each["properties"] and each["licenses"] for each in parts.values())
    known = {each["ref"] for each in bill["dependencies"]}
    assert known == {"self", *(each["bom-ref"] for each in parts.values())}
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert "not said" not in json.dumps(bill)
