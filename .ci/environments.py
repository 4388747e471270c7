"""Other virtual environments: the matrix's, with another Django and psycopg; of docs; of packs."""

import contextlib
import functools
import hashlib
import os
import subprocess
import tempfile

import pinned_uv

LOCK = "requirements.lock"
DOCS_LOCK = "requirements-docs.lock"
PACKS_LOCK = "requirements-packs.lock"
HOME = os.path.join("build", "matrix")


def python_of(version, django, psycopg, interpreter):
    """The Python of an environment, which is made once for each lock."""
    path = os.path.join(HOME, "venv-%s-%s-%s" % (version, django, psycopg))
    return made(path, LOCK, interpreter, lambda python: fill(python, django, psycopg))


def python_of_docs(interpreter):
    """The Python that has requirements-docs.lock: Sphinx, twine, what checks a bill."""
    path = os.path.join("build", "docs-venv")
    return made(path, DOCS_LOCK, interpreter, lambda python: install(python, DOCS_LOCK))


def python_of_packs(interpreter):
    """The Python that has requirements-packs.lock: every package that there is a scaffold for."""
    path = os.path.join("build", "packs-venv")
    return made(path, PACKS_LOCK, interpreter, lambda python: install(python, PACKS_LOCK))


def made(path, lock, interpreter, fill):
    """The Python of the environment at a path, made anew where it is not of this lock."""
    python = os.path.abspath(os.path.join(path, "bin", "python"))
    stamp, now = os.path.join(path, "made-of"), digest(lock)
    with contextlib.suppress(OSError), open(stamp) as file:
        if file.read() == now and subprocess.call([python, "-c", ""]) == 0:
            return python
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.check_call([interpreter, "-m", "venv", "--clear", path])
    fill(python)
    with open(stamp, "w") as file:
        file.write(now)
    return python


def fill(python, django, psycopg):
    install(python, LOCK)
    command, variables = installer(python)
    asked = [*command, "--quiet", "--no-deps", "Django==%s.*" % django]
    subprocess.check_call(asked, env=variables)
    if psycopg == "system":
        command = [python, "-m", "pip", "--quiet", "uninstall", "-y", "psycopg-binary"]
        subprocess.check_call(command)


def install(python, lock):
    """Install what is locked, and nothing else, by its hashes."""
    command, variables = installer(python)
    asked = [*command, "--quiet", "--no-deps", "--require-hashes", "-r", lock]
    subprocess.check_call(asked, env=variables)


def installer(python):
    """The command that installs, and its environment: of the pinned uv, else pip."""
    run = functools.partial(
        subprocess.run,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as scratch:
        uv, _ = pinned_uv.find(pip, run, scratch)
    if uv is None:
        return [*pip, "install"], dict(os.environ)
    options = {**pinned_uv.INDEX, **pinned_uv.MORE, **pinned_uv.TRUST}
    variables = pinned_uv.environment(pip, run, options)
    return [uv, "pip", "install", "--python", python], variables


def digest(lock):
    with open(lock, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
