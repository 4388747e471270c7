"""Run the tests on every Python, Django, PostgreSQL and form of psycopg that is on this machine.

    make matrix ARGS='tests/capture -k name'        a slice of the tests; pytest's own options
    make matrix PYTHONS=python3.13 DJANGOS='5.2 6.1' SERVERS='15 embedded' PSYCOPGS=binary

Interpreters come from PATH, from pyenv, or from PYTHONS; servers from /usr/lib/postgresql. Each
environment is made of requirements.lock, with the cell's Django put over it, below build/matrix.
Exits with 1 where a cell has failed. `--newest`, first, runs one cell: Django's newest on the
newest Python, with the embedded server.
"""

import contextlib
import ctypes.util
import glob
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

from environments import HOME, python_of
from server import installed, running

OLDEST = {"5.2": (3, 11), "6.0": (3, 12), "6.1": (3, 12)}  # Django -> the Python that it needs
NEWEST = "6.1"
EMBEDDED = "embedded"
HEAD = ("python", "django", "postgres", "psycopg", "passed", "failed", "skipped", "seconds")
Cell = namedtuple("Cell", "python django server psycopg")
Result = namedtuple("Result", "passed failed skipped seconds")


def main(arguments):
    os.environ.pop("DATABASE_URL", None)  # a cell has the server that it names
    pythons = interpreters()
    newest = arguments[:1] == ["--newest"]
    cells = newest_cell(pythons) if newest else all_cells(pythons)
    if newest and not cells:
        print("matrix: no Python 3.12 or newer is here, so nothing is run on Django %s" % NEWEST)
        return 0
    results = {}
    for cell in cells:
        results[cell] = run_cell(cell, pythons[cell.python], arguments[newest:])
        show(row(cell, results[cell]))
    print()
    show(HEAD)
    for cell, result in results.items():
        show(row(cell, result))
    return 0 if cells and all(is_well(each) for each in results.values()) else 1


def interpreters():
    """ "3.13" -> the interpreter; the first of those that PYTHONS, PATH and pyenv name."""
    named = os.environ.get("PYTHONS", "").split()
    if not named:
        folders = [*os.environ["PATH"].split(os.pathsep), *glob.glob(pyenv() + "/versions/*/bin")]
        named = [path for each in folders for path in glob.glob(each + "/python3.[0-9]*")]
    found = {}
    for path in named:
        version = version_of(shutil.which(path) or path)
        if version and version >= min(OLDEST.values()):
            found.setdefault("%d.%d" % version, shutil.which(path) or path)
    return dict(sorted(found.items(), key=lambda each: numbers(each[0])))


def pyenv():
    return os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")


def version_of(path):
    """Of an interpreter; None for what is none, as a shim of pyenv that has no version chosen."""
    if path.endswith("-config"):
        return None
    code = "import sys, venv; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([path, "-c", code], capture_output=True, text=True)
    except OSError:
        return None
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None


def numbers(text):
    return tuple(map(int, text.split(".")))


def chosen(name, found):
    """What the environment names, of what there is."""
    wanted = os.environ.get(name, "").split()
    if missing := sorted({*wanted} - {*found}):
        sys.exit("matrix: %s: there is no %s here, but %s" % (name, missing[0], ", ".join(found)))
    return [each for each in found if not wanted or each in wanted]


def all_cells(pythons):
    servers = chosen("SERVERS", [*sorted(installed(), key=int), EMBEDDED])
    forms = ["binary", *(["system"] if ctypes.util.find_library("pq") else [])]
    return [
        Cell(python, django, server, form)
        for python in pythons
        for django in chosen("DJANGOS", OLDEST)
        if numbers(python) >= OLDEST[django]
        for server in servers
        for form in chosen("PSYCOPGS", forms)
    ]


def newest_cell(pythons):
    able = [each for each in pythons if numbers(each) >= OLDEST[NEWEST]]
    return [Cell(able[-1], NEWEST, EMBEDDED, "binary")] if able else []


def run_cell(cell, interpreter, arguments):
    """Counts of one run; nothing passed and one failed where it did not come to its end."""
    name = "-".join(cell)
    report, log = os.path.join(HOME, name + ".xml"), os.path.join(HOME, name + ".log")
    started = time.monotonic()
    with contextlib.suppress(OSError):
        os.remove(report)
    try:
        python = python_of(cell.python, cell.django, cell.psycopg, interpreter)
        with open(log, "wb") as output, server_of(cell) as variables:
            command = [python, "-m", "pytest", "-q", "--junitxml", report, *workers(arguments)]
            status = subprocess.call(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        failures(log)
        return counts(report, status, time.monotonic() - started)
    except (subprocess.CalledProcessError, OSError, ElementTree.ParseError) as error:
        print("%s: %s (see %s)" % (name, error, log))
        return Result(0, 1, 0, time.monotonic() - started)


@contextlib.contextmanager
def server_of(cell):
    """The environment's variables, with the cell's server running."""
    variables = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    if cell.server == EMBEDDED:
        yield variables
        return
    with running(installed()[cell.server]) as url:
        yield dict(variables, DATABASE_URL=url)


def workers(arguments):
    """As `make test`: a database a worker, one more than there are cores."""
    given = any(each.startswith("-n") for each in arguments)
    return arguments if given else ["-n", str(min(os.cpu_count() + 1, 4)), *arguments]


def counts(report, status, seconds):
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314 - our own
    found = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    failed = found["failures"] + found["errors"]
    passed = found["tests"] - failed - found["skipped"]
    return Result(passed, failed or int(status != 0), found["skipped"], seconds)


def failures(log):
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith(("FAILED ", "ERROR ", "ERROR: ")):
                print("  " + line.rstrip()[:200])


def is_well(result):
    return result.passed > 0 and not result.failed


def row(cell, result):
    return (*cell, *result[:3], "%d" % result.seconds)


def show(values):
    print("  ".join("%-8s" % (each,) for each in values).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
