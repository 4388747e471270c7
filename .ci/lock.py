"""Write requirements.lock and those of docs and packs again from pyproject.toml, by the pinned uv.

What is locked stays as it is unless pyproject.toml rules it out; `--upgrade` or
`--upgrade-package NAME` take newer releases. Of pip's settings only the main index is used:
the locks have to be the same on each machine. They hold versions and hashes, no addresses. What
two of them have is of the same version: the first constrains the others.
"""

import functools
import subprocess
import sys
import tempfile

import pinned_uv

COMMAND = [
    *["pip", "compile", "pyproject.toml"],
    *["--universal", "--python-version=3.11", "--fork-strategy=requires-python"],
    *["--generate-hashes", "--no-header", "--no-annotate", "--quiet"],
]
LOCKS = {
    "requirements.lock": ["--group=dev"],
    "requirements-docs.lock": ["--group=docs", "--constraints=requirements.lock"],
    "requirements-packs.lock": ["--group=dev", "--group=packs"],
}


def main():
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = functools.partial(subprocess.run, universal_newlines=True, **out)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as scratch:
        uv, said = pinned_uv.find(pip, run, scratch)
    if uv is None:
        sys.exit("uv could not be fetched:\n" + pinned_uv.masked(said))
    options = {**pinned_uv.INDEX, **pinned_uv.TRUST}
    variables = pinned_uv.environment(pip, run, options)
    for lock, asked in LOCKS.items():
        done = run([uv, *COMMAND, *asked, "--output-file=" + lock, *sys.argv[1:]], env=variables)
        if done.returncode:
            sys.exit(pinned_uv.masked(done.stdout))


if __name__ == "__main__":
    main()
