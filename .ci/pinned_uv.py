"""The uv of .ci/uv-requirements.txt: fetched by pip once, kept in the cache, told pip's settings.

Like its callers it parses on old Pythons. No address is printed: an index may carry a password.
"""

import ast
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
import zipfile

LOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uv-requirements.txt")
INDEX = {"index-url": ("UV_DEFAULT_INDEX", " ")}
MORE = {"extra-index-url": ("UV_INDEX", " "), "find-links": ("UV_FIND_LINKS", ",")}
TRUST = {"cert": ("SSL_CERT_FILE", " "), "trusted-host": ("UV_INSECURE_HOST", " ")}
OWN = ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE"]


def cache():
    """The folder that keeps uv: the user's cache, or the checkout's own without a writable one."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(base, "django-tombstone")
    try:
        if os.path.isabs(base):
            os.makedirs(folder, 0o700, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    except OSError:
        pass
    folder = os.path.abspath(".venv.cache")
    os.makedirs(folder, exist_ok=True)
    os.environ.setdefault("UV_CACHE_DIR", os.path.join(folder, "uv"))
    return folder


def place():
    with open(LOCK, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return os.path.join(cache(), "uv-%s-%s" % (sysconfig.get_platform(), digest[:16]))


def works(uv):
    try:
        return subprocess.call([uv, "--version"], stdout=subprocess.DEVNULL) == 0
    except OSError:
        return False


def find(pip, run, scratch):
    """The path of uv, fetched when it is not there yet; and what pip said when it cannot be had."""
    uv = place()
    if works(uv):
        return uv, ""
    said = download(pip, run, scratch)
    if said is None:
        unpack(scratch, uv)
    return (uv, "") if works(uv) else (None, said or "uv does not run here")


def download(pip, run, scratch):
    """Fetch the wheel for this machine; None, or what pip said when it could not."""
    command = [*pip, "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    done = run([*command, "--retries=2", "--quiet", "--dest", scratch, "--requirement", LOCK])
    return done.stdout if done.returncode else None


def unpack(scratch, uv):
    """Put the program at its place at once, whole: others may look for it meanwhile."""
    half = uv + ".half"
    with open(uv + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with zipfile.ZipFile(glob.glob(os.path.join(scratch, "uv-*.whl"))[0]) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".data/scripts/uv"))
            with wheel.open(name) as source, open(half, "wb") as target:
                shutil.copyfileobj(source, target)
        os.chmod(half, 0o700)
        os.rename(half, uv)


def pip_settings(pip, run):
    """Pip's options by name, from its files and the environment, the stronger ones last."""
    found = {}
    lines = run([*pip, "config", "list"]).stdout.splitlines()
    for section in ["global", "install", "download", ":env:"]:
        for line in lines:
            key, _, value = line.partition("=")
            if key.startswith(section + "."):
                found[key[len(section) + 1 :]] = ast.literal_eval(value)
    return found


def has_own_settings():
    files = [os.path.expanduser("~/.config/uv/uv.toml"), "/etc/uv/uv.toml"]
    return any(name in os.environ for name in OWN) or any(map(os.path.exists, files))


def environment(pip, run, options):
    """The environment in which uv asks the indexes that pip would; a user's own for uv win."""
    variables = dict(os.environ)
    if not has_own_settings():
        settings = pip_settings(pip, run)
        for option, (name, separator) in options.items():
            if settings.get(option):
                variables.setdefault(name, separator.join(settings[option].split()))
        # As pip does. What is taken is decided by the hashes, not by which index was first.
        variables.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if bundle:
        variables.setdefault("SSL_CERT_FILE", bundle)
    return variables


def masked(text):
    """The text without addresses."""
    text = re.sub(r"\b[\w+]+://[^\s'\"`)>]+", "<address>", text)
    return re.sub(r"host=\S+", "host=<address>", text)


def is_unreachable(text):
    """Whether it failed for want of a connection; a refused certificate is told as it was."""
    signs = r"connection broken|failed to (resolve|establish)|could not connect|unreachable"
    signs += r"|timed out|dns error|client error \(connect\)|connection (error|refused)"
    return re.search(signs, text, re.I) and not re.search("certificate|unauthorized", text, re.I)
