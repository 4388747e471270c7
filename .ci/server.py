"""A PostgreSQL server of an installed version, in a folder of its own, as long as it is wanted."""

import contextlib
import glob
import os
import shutil
import socket
import subprocess
import tempfile

# Nothing here is to outlive a crash of the machine.
OPTIONS = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200"


def installed():
    """Major version -> the folder of its programs, as Debian's packages lay them."""
    folders = {path.split("/")[-2]: path for path in glob.glob("/usr/lib/postgresql/*/bin")}
    return {name: path for name, path in folders.items() if os.path.exists(path + "/initdb")}


@contextlib.contextmanager
def running(programs):
    """Start one of `programs`, on a free port of 127.0.0.1; gives its DATABASE_URL."""
    base = tempfile.mkdtemp(prefix="matrix")
    data, port = os.path.join(base, "data"), free_port()
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(base, "postgres")
    run(base, programs + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8")
    options = "%s -p %d -c listen_addresses=127.0.0.1 -k %s" % (OPTIONS, port, base)
    log = os.path.join(base, "log")
    run(base, programs + "/pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
    try:
        yield "postgres://postgres@127.0.0.1:%d/postgres" % port
    finally:
        run(base, programs + "/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(base, ignore_errors=True)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def run(folder, *command):
    own = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with open(os.path.join(tempfile.gettempdir(), "matrix-server.log"), "wb") as log:
        subprocess.check_call(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **own
        )
