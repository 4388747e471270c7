"""The database of the tests: DATABASE_URL's server, else an embedded one of the tests' own."""

import gc
import signal
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.test import TransactionTestCase
from django.utils import timezone

from lifecycle import embedded

if TYPE_CHECKING:
    from tests.support import SetHours

pytest_plugins = ["tests.promises.support", "tests.s3.fixtures"]

# Settings are loaded before this file, connections are opened after it; the entry is shared.
if settings.EMBEDDED_DATABASE:
    settings.EMBEDDED_DATABASE = settings.EMBEDDED_DATABASE.with_name("postgres-tests")
    settings.DATABASES["default"].update(embedded.database(settings.EMBEDDED_DATABASE))

# Behind `&` a shell has Ctrl-C ignored, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A file of tests goes to one worker: those that take long begin first, so that none is left alone.
LONG = {
    "test_grants", "test_worker", "test_install", "test_strange_events", "test_suite", "test_demo",
    "test_matrix", "test_visibility", "test_scaffolds", "test_bench", "test_replica", "test_lock",
    "test_restoring", "test_venv_index", "test_queues", "test_properties", "test_restart",
    "test_interrupted", "test_followed", "test_behaviour", "test_archives", "test_installed",
    "test_asked", "test_schedules", "test_hostile", "test_peers", "test_plain", "test_backfill",
}  # fmt: skip

# Nothing in a test database has to outlive a power cut.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
FAST["shared_buffers"] = "16MB"  # a TRUNCATE looks through all of it for each table and index
FAST["max_prepared_transactions"] = "4"  # none by default


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which files are handed out."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is there once all tests are collected stays: it is not looked at for cycles."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def database_server() -> Iterator[None]:
    """The server, held by every xdist worker; each has a database of its own on it."""
    if settings.EMBEDDED_DATABASE:
        with embedded.server(settings.EMBEDDED_DATABASE, **FAST):
            yield
    else:
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    database_server: None, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """pytest-django's hook for what has to be there before it makes the test database."""


@pytest.fixture
def set_hours(monkeypatch: pytest.MonkeyPatch) -> "SetHours":
    """Gives policies purge hours that are not now, or hours that are."""
    from lifecycle.policy.registry import get_policy

    def set_hours(*names: str, is_open: bool = False) -> None:
        hour = timezone.now().hour
        hours = (hour, (hour + 2) % 24) if is_open else ((hour + 2) % 24, (hour + 4) % 24)
        for name in names:
            monkeypatch.setattr(get_policy(name), "purge_hours", hours)

    return set_hours


@pytest.fixture(scope="session", autouse=True)
def _flush_what_is_filled() -> Iterator[None]:
    """Of our own tests; the sample suite of a host is flushed as Django does it."""
    with pytest.MonkeyPatch.context() as patch:
        if settings.SETTINGS_MODULE == "tests.settings":
            from tests import flushing

            patch.setattr(TransactionTestCase, "_fixture_teardown", flushing.teardown)
            patch.setattr(TransactionTestCase, "_should_reload_connections", flushing.reloads)
        yield


@pytest.fixture(autouse=True)
def _batches_of_full_size() -> None:
    """What batches of earlier tests took, on a busy machine, makes none smaller here."""
    if settings.SETTINGS_MODULE == "tests.settings":
        from lifecycle.db import pieces
        from purge.passes import pacing

        pieces.forget()

        for known in (pacing._sizes, pacing._slow, pacing._fixed):
            known.clear()
