"""Write requirements.lock again from pyproject.toml, by the pinned uv, inside .venv.

What is locked stays as it is unless pyproject.toml rules it out; `--upgrade` or
`--upgrade-package NAME` take newer releases. Of pip's settings only the main index is used:
the lock has to be the same on each machine. It holds versions and hashes, no addresses.
"""

import functools
import subprocess
import sys
import tempfile

import pinned_uv

COMMAND = [
    *["pip", "compile", "pyproject.toml", "--group=dev"],
    *["--universal", "--python-version=3.11", "--fork-strategy=requires-python"],
    *["--generate-hashes", "--no-header", "--no-annotate", "--quiet"],
    "--output-file=requirements.lock",
]


def main():
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = functools.partial(subprocess.run, universal_newlines=True, **out)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as scratch:
        uv, said = pinned_uv.find(pip, run, scratch)
    if uv is None:
        sys.exit("uv could not be fetched:\n" + pinned_uv.masked(said))
    options = {**pinned_uv.INDEX, **pinned_uv.TRUST}
    done = run([uv, *COMMAND, *sys.argv[1:]], env=pinned_uv.environment(pip, run, options))
    if done.returncode:
        sys.exit(pinned_uv.masked(done.stdout))


if __name__ == "__main__":
    main()
