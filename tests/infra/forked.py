"""Python programs as processes that are forked from one which has read the packages of others.

Reading Django, psycopg and Huey is most of the processor time that `manage.py` needs until it
begins. A program started here has its own arguments, environment, session, files, signals and
end; settings, our own modules and the models it reads by itself. For tests of what a program does:
those of how one starts take `subprocess`.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

READ = {
    "anymail", "certifi", "charset_normalizer", "django", "huey", "idna", "jwt", "pgtrigger",
    "psycopg", "redis", "requests", "rest_framework", "rest_framework_simplejwt", "rich", "urllib3",
}  # fmt: skip
_guard = threading.Lock()
_parents: list[Any] = []


class Program:
    """A process, to be asked as one of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def start(
    *arguments: str, cwd: Path, env: dict[str, str], out: Path, err: Path | None = None
) -> Program:
    """`python` with these arguments, in a session of its own; what it prints is added to files.

    A script, or `-c` and code; `-W error` may stand before.
    """
    told = {"arguments": arguments, "cwd": str(cwd), "env": env}
    return Program(_ask(told | {"out": str(out), "err": str(err or out)}))


def run(
    *arguments: str, cwd: Path, env: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """The same to its end; killed at the timeout, which raises."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        program = start(*arguments, cwd=cwd, env=env, out=out, err=err)
        try:
            code = program.wait(timeout)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


def _ask(told: dict[str, Any]) -> Any:
    with _guard:
        parent = _parent()
        print(json.dumps(told), file=parent.stdin, flush=True)
        return json.loads(parent.stdout.readline())


def _parent() -> Any:
    """The process that forks, one for this process; it ends with it."""
    if not _parents:
        command = [sys.executable, __file__]
        pipe = subprocess.PIPE
        parent = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        _parents.append(parent)
        names = sorted(name for name in sys.modules if name.partition(".")[0] in READ)
        print(json.dumps(names), file=parent.stdin, flush=True)
        atexit.register(_end)
    return _parents[0]


def _end() -> None:
    for parent in _parents:
        parent.stdin.close()
        parent.wait(30)
        parent.stdout.close()


# ------------------------------------------------------------------ in the process that forks
class Told(NamedTuple):
    """What a new process is to be."""

    arguments: list[str]
    cwd: str
    env: dict[str, str]
    out: str
    err: str


def serve() -> Told:
    """Fork for each line; returns in the new process only."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    names = json.loads(sys.stdin.readline())
    for name in names:
        with suppress(Exception):  # those that depend on settings are read later
            importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        told = json.loads(line)
        if "poll" in told:
            pid, status = os.waitpid(told["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            begun, begin = os.pipe()
            if (answer := os.fork()) == 0:
                os.setsid()
                os.close(begin)
                os.close(begun)
                return Told(**told)
            os.close(begin)
            os.read(begun, 1)  # until it has its own session
            os.close(begun)
        print(json.dumps(answer), flush=True)
    os._exit(0)


def become(told: Told) -> None:
    """Make this process as if it had been started so."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = (os.devnull, os.O_RDONLY), (told.out, written), (told.err, written)
    for stream, (name, flags) in enumerate(files):
        opened = os.open(name, flags, 0o644)
        os.dup2(opened, stream)
        os.close(opened)
    os.chdir(told.cwd)
    os.environ.clear()
    os.environ.update(told.env)
    sys.dont_write_bytecode = bool(told.env.get("PYTHONDONTWRITEBYTECODE"))
    time.tzset()


def execute(arguments: list[str], paths: list[str]) -> None:
    """The program itself, as `__main__`."""
    if arguments[:2] == ["-W", "error"]:
        warnings.simplefilter("error")
        arguments = arguments[2:]
    if arguments[0] == "-c":
        sys.argv, sys.path[0:1] = ["-c", *arguments[2:]], ["", *paths]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv, sys.path[0:1] = arguments, [str(Path(arguments[0]).resolve().parent), *paths]
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    new = serve()
    become(new)
    execute(new.arguments, [path for path in new.env.get("PYTHONPATH", "").split(":") if path])
