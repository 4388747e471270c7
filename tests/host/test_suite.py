"""The sample suite of a host passes as its owner runs it; tests/soak runs it in more ways."""

import os
import subprocess
import sys

import pytest

from tests.infra.servers import ROOT

COMMAND = (
    *(sys.executable, "-m", "pytest", "-q", "--create-db", "-o", "addopts="),
    *("-p", "no:cacheprovider", "-p", "lifecycle.pytest_plugin", "tests/host/sample"),
)


def run_suite(settings: str, *arguments: str, worker: str) -> str:
    """What pytest prints; the run has to succeed."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [*COMMAND, f"--ds={settings}", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=240,
        env=variables | {"HOST_DATABASE": f"test_host_{worker}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_host_suite_passes(database_server: None, worker_id: str) -> None:
    told = run_suite("tests.host.settings", worker=worker_id)
    assert "skipped" not in told
    assert "capture was absent" not in told


@pytest.mark.slow
def test_absent_capture_is_said(database_server: None, worker_id: str) -> None:
    told = run_suite("tests.host.without_triggers", "-n", "1", worker=worker_id)
    assert "capture was absent: the test database had no triggers on host_note" in told
    assert "skipped" in told
