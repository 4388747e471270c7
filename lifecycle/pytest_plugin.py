"""The pytest plugin: what `lifecycle.testing` has, as fixtures, and a word where capture is absent.

Registered by the wheel (entry point `pytest11`), so nothing has to be switched on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

ABSENT = "lifecycle: capture was absent: the test database had no triggers on"
_absent = pytest.StashKey[list[str]]()


@pytest.fixture
def run_until() -> Callable[..., Any]:
    """`lifecycle.testing.run_until`; the test needs the database for itself (`db`)."""
    from lifecycle.testing import run_until

    return run_until


@pytest.fixture
def capture_off() -> Callable[..., AbstractContextManager[None]]:
    """`lifecycle.testing.capture_off`."""
    from lifecycle.testing import capture_off

    return capture_off


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Any:
    """After pytest-django has made the database: are the triggers there?"""
    made = yield
    if fixturedef.argname == "django_db_setup":
        with request.getfixturevalue("django_db_blocker").unblock():
            _tell(request.config, _without_capture())
    return made


def _tell(config: pytest.Config, absent: list[str]) -> None:
    config.stash[_absent] = absent
    if hasattr(config, "workeroutput"):  # of pytest-xdist: told to the process that reports
        config.workeroutput["lifecycle_absent"] = absent


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """A worker of pytest-xdist has ended."""
    absent = getattr(node, "workeroutput", {}).get("lifecycle_absent")
    if absent:
        node.config.stash[_absent] = absent


def _without_capture() -> list[str]:
    from django.apps import apps

    if not apps.is_installed("lifecycle"):
        return []
    from lifecycle.testing import without_capture

    return without_capture()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say it once, below the results."""
    if absent := config.stash.get(_absent, []):
        terminalreporter.write_line(f"{ABSENT} {', '.join(absent)}", yellow=True)
