"""The suite of the packages' site passes, in a process that has them installed."""

import os
import subprocess
import sys

import pytest

from tests.infra.servers import ROOT

COMMAND = (
    *(sys.executable, "-m", "pytest", "-q", "--create-db", "--nomigrations", "-o", "addopts="),
    *("-p", "no:cacheprovider", "--ds=tests.peers.settings", "tests/peers/sample"),
)


@pytest.mark.slow
def test_the_suite_passes(database_server: None, worker_id: str) -> None:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=240,
        env=variables | {"PEERS_DATABASE": f"test_peers_{worker_id}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
