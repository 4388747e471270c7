"""What stands in .ci, asked in a process of its own, as `make` runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.infra.servers import ROOT

ENVIRONMENT = {"PYTHONPATH": str(ROOT / ".ci")}


def asked(module: str, expression: str, folder: Path = ROOT) -> object:
    """What an expression gives that uses a module of .ci, and `pathlib`."""
    script = f"import json, pathlib, {module}; print(json.dumps({expression}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True,
        env=os.environ | ENVIRONMENT,
    )  # fmt: skip
    return json.loads(done.stdout)
