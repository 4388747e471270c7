"""Run tests/packs in an environment of its own: requirements-packs.lock, below build.

    make packs ARGS='-k wagtail'        pytest's own options

Not in .venv: the packages are many, and some of them hold others back.
"""

import subprocess
import sys

from environments import python_of_packs


def main(arguments):
    # Of the options of all other tests only what leaves these out.
    options = ["-o", "addopts=--strict-markers --strict-config", "--timeout=1200"]
    python = python_of_packs(sys.executable)
    command = [python, "-m", "pytest", *options, "tests/packs", *arguments]
    return subprocess.call(command, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
