"""Make .venv from requirements.lock, or mend it; do nothing when it is whole and current.

Runs on the machine's own Python, so it parses on old ones too, to say which one is needed.
The copy of the lock inside .venv is written last: without it .venv is half made, and made again.
"""

import functools
import os
import shutil
import subprocess
import sys

import pinned_uv

LOCK = "requirements.lock"
STAMP = os.path.join(".venv", LOCK)
PYTHON = os.path.join(".venv", "bin", "python")


def require_python():
    version = "%d.%d" % sys.version_info[:2]
    if sys.version_info < (3, 11):
        sys.exit(
            "Python 3.11 or newer is needed, this is " + version + ": install one and name it, "
            "as in: make PYTHON=python3.12 " + os.environ.get("MAKECMDGOALS", "test")
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        sys.exit(
            "Python's venv is missing: apt-get install python3-venv (or python%s-venv)" % version
        )


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def is_current():
    # The interpreter is run: the one .venv points to may have been removed or upgraded since.
    if read(STAMP) != read(LOCK):
        return False
    try:
        return subprocess.call([PYTHON, "-c", ""], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def has_pip(python):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.call([python, "-m", "pip", "--version"], **quiet) == 0


def pip_of(python, run):
    """The command of a Python's pip; where it has none, of the one that .venv gets."""
    if not has_pip(python):
        python = PYTHON
        run([PYTHON, "-m", "ensurepip", "--default-pip"])
    return [python, "-m", "pip", "--disable-pip-version-check"]


def sync_by_uv(run):
    """Install the lock by uv; None when that is done, else what was said."""
    pip = pip_of(sys.executable, run)
    uv, said = pinned_uv.find(pip, run, os.path.join(".venv", "uv"))
    if uv is None:
        return said
    options = {**pinned_uv.INDEX, **pinned_uv.MORE, **pinned_uv.TRUST}
    variables = pinned_uv.environment(pip, run, options)
    command = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, LOCK]
    # Each file's hash is pinned, so what the cache holds needs no look at the index.
    for offline in (["--offline"], []):
        done = run([*command, *offline], env=variables)
        if done.returncode == 0:
            return None
    return done.stdout


def install_by_pip(run):
    """The same by .venv's own pip. Without --no-deps old ones ask for what an extra adds anew."""
    pip = pip_of(PYTHON, run)
    options = ["--quiet", "--retries=2", "--no-deps", "--require-hashes", "--requirement", LOCK]
    done = run([*pip, "install", *options])
    return done.stdout if done.returncode else None


def fill(run):
    said = sync_by_uv(run)
    if said is None:
        return
    slower = install_by_pip(run)
    if slower is None:
        return
    if pinned_uv.is_unreachable(said + slower):
        sys.exit(
            "making .venv failed: no package index could be reached, and the caches do not hold "
            "all of %s (the index is the one that pip is set to ask)" % LOCK
        )
    sys.exit("making .venv failed:\n" + pinned_uv.masked(said + slower))


def make(lock):
    print("Making .venv from %s (once) ..." % LOCK)
    sys.stdout.flush()
    # The children keep the lock: were we killed, the next make waits for them to end.
    run = functools.partial(
        subprocess.run,
        pass_fds=[lock],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    # The mark goes first: a folder half cleared must not look whole to the lock it was made from.
    if os.path.exists(STAMP):
        os.unlink(STAMP)
    command = [sys.executable, "-m", "venv", "--without-pip", "--clear", ".venv"]
    subprocess.check_call(command, pass_fds=[lock], stdin=subprocess.DEVNULL)
    fill(run)
    shutil.rmtree(os.path.join(".venv", "uv"), ignore_errors=True)
    half = STAMP + ".half"
    with open(half, "wb") as file:
        file.write(read(LOCK))
    os.rename(half, STAMP)


def main():
    require_python()
    if is_current():
        return
    import fcntl

    lock = os.open(".venv.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not is_current():  # another make may have made it while we waited
        make(lock)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit("making .venv failed (exit %s); the reason is above" % error.returncode)
    except KeyboardInterrupt:
        sys.exit(130)
