"""Make .venv from requirements.lock, or mend it; do nothing when it is whole and current.

Runs on the machine's own Python, so it parses on old ones too, to say which one is needed.
The copy of the lock inside .venv is written last: without it .venv is half made, and made again.
"""

import os
import subprocess
import sys

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


def make(lock):
    print("Making .venv from %s (once) ..." % LOCK)
    sys.stdout.flush()
    # The children keep the lock: were we killed, the next make waits for them to end.
    keep = {"pass_fds": [lock], "stdin": subprocess.DEVNULL}
    subprocess.check_call([sys.executable, "-m", "venv", "--clear", ".venv"], **keep)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.check_call([*pip, "--require-hashes", "-r", LOCK], **keep)
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
