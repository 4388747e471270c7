"""The documentation as pages: docs/ laid out for Sphinx, with the reference of what code may call.

    make docs     into build/docs; any warning, also a link or an anchor that is not there, fails
    make links    asks the other sites that the pages link to

docs/ is read as it is, in the checkout and in the wheel. Here its pages are copied, those of the
checkout's root into project/, their links with them. The side bar follows docs/index.md, page for
page; the reference is made of the docstrings of the names in lifecycle/__init__.pyi and
purge/__init__.pyi. `llms.txt` lists all pages as Markdown, which lie beside those of HTML.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from environments import python_of_docs

ROOT = Path.cwd()
OUT = Path("build/docs")
SOURCE = Path("build/docs-source")
PICTURES = Path("build/pictures")
PROJECT = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"]
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)(?=[)#])")
ANCHOR = re.compile(r'^<a id="([\w.-]+)"></a>\n+', re.MULTILINE)
LISTED = re.compile(r"\[([^\]]+)\]\(((?!\w+:)[^)#\s]+\.md)(?:#[^)]*)?\)(?:: ([^\n]*))?")
DECISIONS = "Decisions"
MADE = ["how-to/cookbook.md", "reference/lifecycle.md", "reference/purge.md"]
COOKBOOK = """Policies for tables that packages fill, to be pasted into an app of your own;
`python manage.py lifecycle scaffold NAME` prints the same. Each is tested against the package
itself, from its API to the purged row. [Packages, one by one](packages.md) says what ends, and
what never does."""
NAMES = re.compile(r"^from (\S+) import (\w+) as \w+$", re.MULTILINE)


def place(path: Path) -> Path:
    """Where a file of the checkout lies among the pages."""
    inside = path.relative_to(ROOT)
    return inside.relative_to("docs") if inside.parts[0] == "docs" else Path("project", inside)


def moved(text: str, page: Path) -> str:
    """The text of a page with its links as they are from where it lies now."""

    def target(found: re.Match[str]) -> str:
        there = (page.parent / found[1]).resolve()
        return Path(os.path.relpath(place(there), place(page).parent)).as_posix()

    text = ANCHOR.sub(r"(\1)=\n\n", text)
    return LINK.sub(target, text)


def lay_out() -> None:
    """All pages into SOURCE."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    files = [ROOT / name for name in PROJECT]
    files += [each for each in (ROOT / "docs").rglob("*") if each.is_file()]
    for file in files:
        to = SOURCE / place(file)
        to.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".md":
            text = moved(file.read_text(encoding="utf-8"), file)
            to.write_text(text, encoding="utf-8")
        else:
            shutil.copy(file, to)


def sections(index: str) -> dict[str, list[tuple[str, str, str]]]:
    """Heading of the index -> the pages below it, each once: title, path, what is said of it."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    seen = {"index.md"}
    for part in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        pages = [each for each in LISTED.findall(body) if each[1] not in seen]
        seen |= {path for _, path, _ in pages}
        found[heading.strip()] = pages
    return found


def toctree(caption: str, paths: list[str]) -> str:
    lines = ["```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), ""]
    return "\n".join([*lines, *paths, "```", ""])


def write_side_bar() -> None:
    """The side bar below the index: a group for each of its sections, the decisions as one page."""
    index = SOURCE / "index.md"
    text = index.read_text(encoding="utf-8")
    groups = sections(text)
    decisions = [path for _, path, _ in groups.pop(DECISIONS)]
    before, _, listed = text.partition(f"## {DECISIONS}\n")
    (SOURCE / "adr/index.md").write_text(
        f"# {DECISIONS}\n{listed.replace('](adr/', '](')}\n"
        + toctree("", [path.removeprefix("adr/") for path in decisions]),
        encoding="utf-8",
    )
    trees = [toctree(caption, [p for _, p, _ in pages]) for caption, pages in groups.items()]
    made = [*MADE, *(["reference/pictures.md"] if write_pictures() else [])]
    trees.append(toctree("In code", [*made, "adr/index.md"]))
    project = [f"project/{name}" for name in PROJECT if name.endswith(".md")]
    trees.append(toctree("Project", project))
    end = "## In code\n\n" + "".join(f"- [](<{page}>)\n" for page in made)
    end += f"\n## {DECISIONS}\n\n[Why it is built so](adr/index.md), one page for each.\n\n"
    index.write_text(before + end + "\n".join(trees), encoding="utf-8")


def write_reference(package: str) -> None:
    """The page of the names that a package shows: signature and docstring of each."""
    stub = (ROOT / package / "__init__.pyi").read_text(encoding="utf-8")
    lines = [f"# Reference of `{package}`", "", f"What `from {package} import ...` has.", ""]
    for name in sorted((name for _, name in NAMES.findall(stub)), key=str.lower):
        kind = "autoclass" if name[0].isupper() else "autofunction"
        lines += [f"## {name}", "", "```{eval-rst}", f".. {kind}:: {package}.{name}"]
        lines += ["   :members:", ""] if kind == "autoclass" else [""]
        lines += ["```", ""]
    page = SOURCE / "reference" / f"{package}.md"
    page.write_text("\n".join(lines), encoding="utf-8")


def write_cookbook() -> None:
    """The page of policies for the tables that packages fill, from what `scaffold` prints."""
    lines = ["# Cookbook by package", "", COOKBOOK, ""]
    for file in sorted((ROOT / "lifecycle/scaffolds").glob("*.txt")):
        parts = re.split(r"^--- (\w+)\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        named = dict(zip(parts[1::2], parts[2::2], strict=True))
        lines += [f"## {file.stem}", "", parts[0].strip(), ""]
        if "needs" in named:
            lines += [f"In `INSTALLED_APPS`: `{named.pop('needs').strip()}`.", ""]
        for name, code in named.items():
            lines += [f"In `{name}.py`:", "", "```python", code.strip(), "```", ""]
    (SOURCE / "how-to/cookbook.md").write_text("\n".join(lines), encoding="utf-8")


def write_pictures() -> bool:
    """A page of the pictures that `make pictures` has made; False where there are none."""
    found = sorted(PICTURES.glob("*-light.png"))
    lines = ["# The admin in pictures", "", "Made by the tests, of a site that they fill.", ""]
    (SOURCE / "pictures").mkdir(exist_ok=True)
    for light in found:
        title = light.stem.removesuffix("-light")
        lines += [f"## {title.replace('-', ' ').capitalize()}", ""]
        for colour in ("light", "dark"):
            name = f"{title}-{colour}.png"
            shutil.copy(PICTURES / name, SOURCE / "pictures" / name)
            lines += [f"```{{image}} ../pictures/{name}", f":alt: {title}, {colour}"]
            lines += [f":class: only-{colour}", "```", ""]
    if found:
        (SOURCE / "reference/pictures.md").write_text("\n".join(lines), encoding="utf-8")
    return bool(found)


def write_llms() -> None:
    """llms.txt, and each page as Markdown beside its HTML."""
    for page in SOURCE.rglob("*.md"):
        shutil.copy(page, OUT / page.relative_to(SOURCE))
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    about = re.search(r'^description = "(.*)"$', Path("pyproject.toml").read_text(), re.MULTILINE)
    lines = ["# django-tombstone", "", f"> {about[1] if about else ''}", ""]
    for heading, pages in sections(moved(index, ROOT / "docs/index.md")).items():
        lines += [f"## {heading}", ""]
        for title, path, said in pages:
            lines.append(f"- [{title}]({path})" + (f": {said}" if said else ""))
        lines.append("")
    lines += ["## In code", "", *(f"- [{Path(page).stem}]({page})" for page in MADE), ""]
    (OUT / "llms.txt").write_text("\n".join(lines), encoding="utf-8")


def foreign() -> list[str]:
    """What the pages would load from other sites: they have to be whole without a network."""
    loads = re.compile(r"""(?:\bsrc|<link\b[^>]*\bhref)=["'](?:https?:)?//[^"']+""")
    return [
        f"{page.relative_to(OUT)}: {found}"
        for page in OUT.rglob("*.html")
        for found in loads.findall(page.read_text(encoding="utf-8"))
        if 'rel="canonical"' not in found
    ]


def run_sphinx(builder: str, out: Path) -> int:
    command = [python_of_docs(sys.executable), "-m", "sphinx", "-b", builder, "-n", "-W", "-q"]
    command += ["--keep-going", "-d", "build/docs-trees", "-c", ".ci/sphinx"]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.call([*command, str(SOURCE), str(out)], env=variables)


def main(builder: str) -> int:
    lay_out()
    for package in ("lifecycle", "purge"):
        write_reference(package)
    write_cookbook()
    write_side_bar()
    if builder != "html":
        return run_sphinx(builder, Path("build") / builder)
    shutil.rmtree(OUT, ignore_errors=True)
    if failed := run_sphinx(builder, OUT):
        return failed
    write_llms()
    for each in (loaded := foreign()):
        print(f"docs: loaded from elsewhere: {each}")
    print(f"docs: {len(list(OUT.rglob('*.html')))} pages in {OUT}")
    return 1 if loaded else 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["html"])))
