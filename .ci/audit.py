"""Known vulnerabilities in requirements.lock: a finding fails, an unreachable service does not."""

import json
import subprocess
import sys

LIMIT_SECONDS = 180
COMMAND = [
    sys.executable,
    "-m",
    "pip_audit",
    "--requirement=requirements.lock",
    "--require-hashes",
    "--disable-pip",
    "--progress-spinner=off",
    "--timeout=10",
    "--format=json",
]


def report() -> dict | None:
    """pip-audit's report, None when it could not ask its service."""
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=LIMIT_SECONDS)
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def main() -> int:
    found = report()
    if found is None:
        print("pip-audit: the service could not be reached; skipped")
        return 0
    bad = [package for package in found["dependencies"] if package.get("vulns")]
    for package in bad:
        names = ", ".join(vulnerability["id"] for vulnerability in package["vulns"])
        print(f"pip-audit: {package['name']} {package['version']}: {names}")
    print(f"pip-audit: {len(found['dependencies'])} packages, {len(bad)} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
