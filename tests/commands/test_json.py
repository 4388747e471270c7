"""Every command that has `--json` has its keys in docs/reference/json.md.

That the keys are those that it prints is asked where a test runs it: `assert_documented`.
"""

from typing import Any

import pytest
from django.core.management import load_command_class

from lifecycle.management.extensions import subcommands
from purge.management.archive import SUBCOMMANDS as ARCHIVE
from tests.commands.documented import assert_documented, sections

#: prints what another one prints
LIKE = {"lifecycle drill": "lifecycle restore-report"}


def takes_json(module: Any) -> bool:
    parser = load_command_class("lifecycle", "lifecycle").create_parser("manage.py", "lifecycle")
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    return "--json" in parser._option_string_actions


def test_every_command_with_json_has_its_keys_there() -> None:
    of = {f"lifecycle {name}": module for name, module in subcommands().items()}
    of |= {f"archive {name}": module for name, module in ARCHIVE.items()}
    having = {LIKE.get(name, name) for name, module in of.items() if takes_json(module)}
    assert having | {"purge", "purge --replay"} == set(sections())


def test_a_key_that_is_not_there_is_found() -> None:
    assert_documented("lifecycle holds", [{"number": 1, "since": "2030-01-31T12:00:00+00:00"}])
    with pytest.raises(AssertionError, match="colour"):
        assert_documented("lifecycle holds", [{"colour": 1}])
    with pytest.raises(AssertionError, match="colour"):
        assert_documented("lifecycle report", [{"lines": [{"colour": 1, "soon": {"x": 1}}]}])
    with pytest.raises(AssertionError, match="2030-01-31 12:00"):
        assert_documented("lifecycle holds", [{"since": "2030-01-31 12:00"}])
