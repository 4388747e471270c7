"""A declaration has one fingerprint, in every process that reads it."""

import os
import subprocess
import sys

import pytest

from lifecycle import Policy, Update
from lifecycle.errors import PolicyError
from lifecycle.fingerprint import fingerprint
from lifecycle.registry import all_policies
from tests.infra.servers import ROOT
from tests.zoo.models import Token

PRINT = """
import django
django.setup()
from lifecycle.fingerprint import fingerprint
from lifecycle.registry import all_policies
print({policy.name: fingerprint(policy) for policy in all_policies()})
"""


def test_same_in_another_process() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", PRINT]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    ours = {policy.name: fingerprint(policy) for policy in all_policies()}
    assert told.stdout.decode().strip() == str(ours)


def test_value_without_a_stable_form_is_refused() -> None:
    disposition = Update(label=object())
    policy = Policy("opaque", Token, expires="expires_at", disposition=disposition)
    with pytest.raises(PolicyError, match="no name"):
        fingerprint(policy)
