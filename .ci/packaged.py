"""Build sdist and wheel into dist/, twice: both times the same bytes, or nothing is left there.

The wheel is made of the unpacked sdist, as by whoever builds from it. Dates are SOURCE_DATE_EPOCH,
else the last commit's. Addresses in the metadata are those of REPOSITORY_URL, else there are none.
Then twine reads both, strictly. Run by .venv's Python; it builds with requirements-docs.lock.
"""

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from environments import python_of_docs

SOURCES = ["pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"]
SOURCES += ["CONTRIBUTING.md", "SECURITY.md", "lifecycle", "purge", "migrations", "docs"]
DIST = Path("dist")
SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from Python 3.11.4 on
# What must not be seen in the result differs between the two: place, time zone, order of sets.
ROUNDS = [
    {"TZ": "UTC", "PYTHONHASHSEED": "1", "LC_ALL": "C"},
    {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8"},
]


def epoch() -> int:
    """The date of all files: that of the environment, of the last commit, or the first of a zip."""
    if said := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(said)
    asked = ["git", "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True)
    except OSError:  # no git
        return 315619200
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else 315619200


def copy_sources(folder: Path) -> Path:
    """What is packaged, without what Python and editors have left beside it."""
    for name in SOURCES:
        if Path(name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.py[cod]", "*.orig", "*~")
            shutil.copytree(name, folder / name, ignore=ignored)
        else:
            shutil.copy(name, folder / name)
    return folder


def plain(member: tarfile.TarInfo, date: int) -> tarfile.TarInfo:
    """A member of the sdist without whose it was, and when."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = date
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.pax_headers = {}
    return member


def repacked(sdist: bytes, date: int) -> bytes:
    """The sdist with its members in order, all of one date: setuptools writes the files' own."""
    packed, raw = io.BytesIO(), io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(sdist), mode="r:gz") as found,
        tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as made,
    ):
        for member in sorted(found.getmembers(), key=lambda each: each.name):
            content = found.extractfile(member) if member.isfile() else None
            made.addfile(plain(member, date), content)
    with gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=date) as file:
        file.write(raw.getvalue())
    return packed.getvalue()


def run_build(python: str, kind: str, source: Path, out: Path, variables: dict[str, str]) -> Path:
    command = [python, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(out), "."]
    done = subprocess.run(command, cwd=source, env=variables, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return next(out.glob("*.tar.gz" if kind == "sdist" else "*.whl"))


def build(python: str, folder: Path, date: int, differing: dict[str, str]) -> dict[str, bytes]:
    """Name -> bytes of the sdist, and of the wheel that is made of it."""
    variables = os.environ | differing | {"SOURCE_DATE_EPOCH": str(date)}
    (folder / "source").mkdir()
    source = copy_sources(folder / "source")
    sdist = run_build(python, "sdist", source, folder / "out", variables)
    content = repacked(sdist.read_bytes(), date)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        archive.extractall(folder / "unpacked", **SAFELY)  # noqa: S202 - just made here
    (unpacked,) = (folder / "unpacked").iterdir()
    wheel = run_build(python, "wheel", unpacked, folder / "out", variables)
    return {sdist.name: content, wheel.name: wheel.read_bytes()}


def main() -> None:
    os.umask(0o022)
    python, date = python_of_docs(sys.executable), epoch()
    found = []
    for differing in ROUNDS:
        with tempfile.TemporaryDirectory() as folder:
            found.append(build(python, Path(folder), date, differing))
    shutil.rmtree(DIST, ignore_errors=True)
    if found[0] != found[1]:
        sys.exit("dist: built twice, and not the same bytes")
    DIST.mkdir()
    for name, content in found[0].items():
        (DIST / name).write_bytes(content)
        print(f"dist/{name}: {len(content):,} bytes, twice the same")
    files = [str(DIST / name) for name in found[0]]
    sys.exit(subprocess.call([python, "-m", "twine", "check", "--strict", *files]))


if __name__ == "__main__":
    main()
