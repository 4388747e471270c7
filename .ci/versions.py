"""The documentation of every released version, side by side, with a switch between them.

    make docs-versions     into build/docs-versions; open its index.html, or publish the folder

The newest patch of each minor release, from its tag, and `main` from this checkout. Each is built
by its own `make docs`, so an old page looks as it did. `versions.js` lists them with their pages;
the script static/versions.js of each page reads it, from a disk too, and shows the switch. The
newest release is where index.html leads; before there is one, it is `main`.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

OUT = Path("build/docs-versions")
WORK = Path("build/docs-worktrees")
BUILT = Path("build/docs")
TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
MAIN = "main"
INDEX = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>django-tombstone</title>
<meta http-equiv="refresh" content="0; url={first}/index.html">
<a href="{first}/index.html">The documentation of django-tombstone</a></html>
"""


def minors(tags: list[str]) -> dict[str, str]:
    """Version -> tag: of each minor release the newest patch, the newest release first."""
    found: dict[tuple[int, int], tuple[int, str]] = {}
    for tag in tags:
        if number := TAG.fullmatch(tag):
            major, minor, patch = map(int, number.groups())
            found[major, minor] = max(found.get((major, minor), (-1, "")), (patch, tag))
    return {f"{a}.{b}": found[a, b][1] for a, b in sorted(found, reverse=True)}


def build(tag: str) -> Path:
    """The pages of a tag, made in a checkout of its own. Raises where `make docs` fails there."""
    tree = WORK / tag
    if tree.exists():
        run("git", "worktree", "remove", "--force", str(tree))
    run("git", "worktree", "add", "--quiet", "--detach", str(tree), tag)
    run("make", "--no-print-directory", "docs", cwd=tree)
    return tree / BUILT


def run(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """What a program prints."""
    path = shutil.which(program)
    if path is None:
        sys.exit(f"docs: {program} is not installed")
    return subprocess.check_output([path, *arguments], cwd=cwd, text=True)


def put_together(built: dict[str, Path], out: Path = OUT) -> None:
    """Version -> its pages, the newest release first, into one folder."""
    shutil.rmtree(out, ignore_errors=True)
    for name, pages in built.items():
        shutil.copytree(pages, out / name)
    versions = [{"name": name, "pages": pages_of(out / name)} for name in built]
    (out / "versions.js").write_text(
        f"window.tombstoneVersions = {json.dumps(versions)};\n", encoding="utf-8"
    )
    first = next(iter(built))
    (out / "index.html").write_text(INDEX.format(first=first), encoding="utf-8")
    shutil.copy(out / first / "llms.txt", out / "llms.txt")


def pages_of(folder: Path) -> list[str]:
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*.html"))


def main() -> int:
    tags = run("git", "tag", "--list").split()
    if failed := subprocess.call([sys.executable, ".ci/pages.py"]):
        return failed
    built = {version: build(tag) for version, tag in minors(tags).items()}
    put_together(built | {MAIN: BUILT})
    print(f"docs: {', '.join([*built, MAIN])} in {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
