"""The matrix's virtual environments: requirements.lock, with another Django and psycopg over it."""

import contextlib
import functools
import hashlib
import os
import subprocess

import pinned_uv

LOCK = "requirements.lock"
HOME = os.path.join("build", "matrix")


def python_of(version, django, psycopg, interpreter):
    """The Python of an environment, which is made once for each lock."""
    path = os.path.join(HOME, "venv-%s-%s-%s" % (version, django, psycopg))
    python = os.path.abspath(os.path.join(path, "bin", "python"))
    stamp, lock = os.path.join(path, "made-of"), digest()
    with contextlib.suppress(OSError), open(stamp) as file:
        if file.read() == lock:
            return python
    os.makedirs(HOME, exist_ok=True)
    subprocess.check_call([interpreter, "-m", "venv", "--clear", path])
    fill(python, django, psycopg)
    with open(stamp, "w") as file:
        file.write(lock)
    return python


def fill(python, django, psycopg):
    command, variables = installer(python)
    install = [*command, "--quiet", "--no-deps"]
    subprocess.check_call([*install, "--require-hashes", "-r", LOCK], env=variables)
    subprocess.check_call([*install, "Django==%s.*" % django], env=variables)
    if psycopg == "system":
        command = [python, "-m", "pip", "--quiet", "uninstall", "-y", "psycopg-binary"]
        subprocess.check_call(command)


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
    uv, _ = pinned_uv.find(pip, run, os.path.join(HOME, "uv"))
    if uv is None:
        return [*pip, "install"], dict(os.environ)
    options = {**pinned_uv.INDEX, **pinned_uv.MORE, **pinned_uv.TRUST}
    variables = pinned_uv.environment(pip, run, options)
    return [uv, "pip", "install", "--python", python], variables


def digest():
    with open(LOCK, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
