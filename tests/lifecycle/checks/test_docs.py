"""The reference pages name every id, option and subcommand there is, and no other."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import load_command_class

from lifecycle.compiler.fingerprint import CAPTURED, DECIDING
from lifecycle.management.extensions import subcommands
from lifecycle.policy.capture_modes import Capture
from lifecycle.policy.dispositions import Disposition
from lifecycle.policy.policy import OPTIONS, Policy
from tests.infra.servers import ROOT

#: options whose default is told in words
IN_WORDS = {
    "when",
    "expires",
    "keep_while",
    "notice",
    "identity",
    "purge_hours",
    "holds",
    "previously",
    "basis",
}
REFERENCE = Path(ROOT) / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def ids_in_code() -> set[str]:
    code = "".join(path.read_text() for path in (Path(ROOT) / "lifecycle/checks").glob("*.py"))
    found = re.findall(r"\b(error|warning|info)\(\s*(\d+),", code)
    return {f"lifecycle.{kind[0].upper()}{int(number):03}" for kind, number in found}


def test_every_id_has_a_paragraph_and_an_anchor() -> None:
    text = page("checks")
    told = set(re.findall(r"^### (\S+):", text, re.MULTILINE))
    assert told == ids_in_code() | {
        "purge.E001",
        "purge.E002",
        "purge.E003",
        "purge.E004",
        "purge.E005",
        "purge.E006",
        "purge.E007",
        "purge.E008",
        "purge.E010",
        "purge.W002",
        "purge.W004",
        "purge.W005",
        "purge.W006",
        "purge.W007",
        "purge.W008",
        "purge.W010",
        "purge.W015",
    }
    anchors = re.findall(r'<a id="([^"]+)"', text)
    assert sorted(anchors) == sorted(name.lower().replace(".", "-") for name in told)


def test_every_option_of_a_policy_is_told() -> None:
    told = re.findall(r"^\| `(\w+)` \|", page("policy"), re.MULTILINE)
    assert told == ["name", "model", *OPTIONS]


def shown(default: Any) -> str:
    """A default as the page shows it; those of `when`, `keep_while`, ... are told in words."""
    if isinstance(default, timedelta):
        return {timedelta(0): "none", timedelta(1): "1 day", timedelta(seconds=1): "1 second"}[
            default
        ]
    if isinstance(default, Disposition | Capture):
        return f"`{type(default).__name__}()`"
    if isinstance(default, bool):
        return f"`{default}`"
    return f"{default:,}" if isinstance(default, int) else f"{default:.2f}"


@pytest.mark.parametrize("option", [name for name in OPTIONS if name not in IN_WORDS])
def test_every_default_of_a_policy_is_told(option: str) -> None:
    (told,) = re.findall(rf"^\| `{option}` \| [^|]* \| ([^|]*) \|", page("policy"), re.MULTILINE)
    assert told == shown(getattr(Policy, option))


def test_what_changes_a_policy_is_told() -> None:
    text = re.sub(r"\s+", " ", page("policy"))
    covered = re.search(r"It covers name, model, (.*?), and the tables", text)
    left_out = re.search(r"not the caps, (.*?), and not the SQL", text)
    triggers = re.search(
        r"Only ([^.]*?) \(and the grace of an `Update`\) and `identity` change", text
    )
    assert covered
    assert left_out
    assert triggers
    deciding = {name for name, option in OPTIONS.items() if option.decides}
    assert set(re.findall(r"`(\w+)`", covered[1])) == deciding == set(DECIDING)
    others = OPTIONS.keys() - deciding - {"cap_rows", "cap_fraction"}
    assert set(re.findall(r"`(\w+)`", left_out[1])) == others
    assert set(re.findall(r"`(\w+)`", triggers[1])) == set(CAPTURED)


def test_every_subcommand_is_told() -> None:
    headings = " ".join(
        re.findall(r"^## manage.py lifecycle (.*)$", page("commands"), re.MULTILINE)
    )
    assert set(subcommands()) == set(re.findall(r"[a-z-]+", headings)) - {"policy"}


@pytest.mark.parametrize("name", ["purge", "archive", "lifecycle"])
def test_every_option_of_a_command_is_told(name: str) -> None:
    app = "lifecycle" if name == "lifecycle" else "purge"
    parser = load_command_class(app, name).create_parser("manage.py", name)
    usage = parser.format_help()
    if name != "purge":
        subcommands = parser._subparsers._group_actions[0].choices  # type: ignore[union-attr, index]
        usage = "".join(sub.format_help() for sub in subcommands.values())  # type: ignore[union-attr]
    ours = set(re.findall(r"(--[a-z-]+)", usage)) - DJANGO
    assert ours <= set(re.findall(r"--[a-z-]+", page("commands")))


DJANGO = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback",
    "--no-color", "--force-color", "--skip-checks",
}  # fmt: skip
