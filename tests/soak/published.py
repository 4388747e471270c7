"""Settings of the tests for a process whose log a test has published, by its environment."""

import os

from tests.settings import *  # noqa: F403

LIFECYCLE_PROOF = {
    "origin": "example.org/ledger",
    "signing_key": "env:PROOF_SIGNER",
    "key": "env:PROOF_KEY",
}
LIFECYCLE_ARCHIVE_DIR = os.environ["PROOF_STORE"]
MEDIA_ROOT = os.environ["PROOF_MEDIA"]
