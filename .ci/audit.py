"""Known vulnerabilities in the locks: a finding fails, an unreachable service does not.

Every locked version is asked about, those too that another Python or system installs.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCKS = sorted(Path().glob("requirements*.lock"))
LIMIT_SECONDS = 180
COMMAND = [
    sys.executable,
    "-m",
    "pip_audit",
    "--no-deps",
    "--disable-pip",
    "--progress-spinner=off",
    "--timeout=10",
    "--format=json",
]


def rounds(lock: str) -> list[list[str]]:
    """The pinned versions without their markers, no name twice in a list: pip-audit takes none."""
    found: list[dict[str, str]] = []
    pins = re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE)
    for name, version in dict.fromkeys(pins):
        free = next((names for names in found if name not in names), None)
        if free is None:
            found.append(free := {})
        free[name] = version
    return [[f"{name}=={version}" for name, version in names.items()] for names in found]


def report(pins: list[str]) -> list[dict] | None:
    """What pip-audit reports of each, None when it could not ask its service."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins) + "\n")
        file.flush()
        command = [*COMMAND, f"--requirement={file.name}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
            return json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None


def main() -> int:
    reports = [report(pins) for pins in rounds("\n".join(lock.read_text() for lock in LOCKS))]
    if None in reports:
        print("pip-audit: the service could not be reached; skipped")
        return 0
    found = [package for packages in reports for package in packages]
    bad = [package for package in found if package.get("vulns")]
    for package in bad:
        names = ", ".join(vulnerability["id"] for vulnerability in package["vulns"])
        print(f"pip-audit: {package['name']} {package['version']}: {names}")
    print(f"pip-audit: {len(found)} packages, {len(bad)} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
