"""Sphinx's settings for `make docs`. The pages are laid out by .ci/pages.py."""

import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from pygments.lexers import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]

settings.configure(
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.postgres",
        "pgtrigger",
        "lifecycle",
        "purge",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
    USE_TZ=True,
)
django.setup()

project = "django-tombstone"
author = "the authors of django-tombstone"
copyright = author
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["project/LICENSE"]
root_doc = "index"
myst_heading_anchors = 4
default_role = "code"  # docstrings have their code between single backticks
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
python_maximum_signature_line_length = 80
# Types of the standard library and of Django are named, not linked: that would ask the network.
nitpick_ignore_regex = [("py:.*", ".*")]

html_theme = "furo"
html_title = f"django-tombstone {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("versions.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"footer_icons": []}
highlight_options = {}
linkcheck_ignore = [r"https?://[\w.-]*\.example\b.*", r"http://(127\.0\.0\.1|localhost)\b.*"]
linkcheck_timeout = 20
linkcheck_workers = 4


FIRST = re.compile(r"\w[\w, ]*?\s{2,}(?=\S)")  # of a list: its width is that of all
NAME = re.compile(r"\w[\w, ]*")


def item(line: str, width: int) -> list[str] | None:
    """A line of a list as a term with its text; None where it begins none."""
    name, text = line[:width].rstrip(), line[width:]
    is_one = NAME.fullmatch(name) and line[width - 1 : width] == " " and text[:1].strip()
    return [f"``{name}``", f"    {text}"] if is_one else None


def as_terms(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list) -> None:
    """A docstring's columns, of a name and what is said of it, as a list of terms."""
    made: list[str] = []
    width = 0
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not width and (first := FIRST.match(line)):
            made.append("")
            width = first.end()
        if width and (term := item(line, width)):
            made += term
        elif width and line[:1].isalpha() and following.startswith(" " * width):
            made.append(f"``{line.strip()}``")
        elif width and line.startswith(" " * width):
            made.append(f"    {line.strip()}")
        else:
            made.append(line)
            width = 0
    lines[:] = made


def argument(each: inspect.Parameter) -> str:
    """An argument without its types; a default that is no plain value is said in the text."""
    if each.default is each.empty:
        return str(each.replace(annotation=each.empty))
    plain = isinstance(each.default, str | int | float | None)
    return f"{each.name}={each.default!r}" if plain else f"{each.name}=..."


def plain_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: object, signature: str, returned: str
) -> tuple[str, str] | None:
    """Where the defaults cannot be read as code, and so the types are not set either."""
    if not signature or "<" not in signature:
        return None
    parts: list[str] = []
    for each in inspect.signature(obj).parameters.values():
        parts += ["*"] if each.kind is each.KEYWORD_ONLY and "*" not in parts else []
        parts.append(argument(each))
    return f"({', '.join(parts)})", returned


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-signature", plain_signature)
    app.connect("autodoc-process-docstring", as_terms)
    app.add_lexer("crontab", TextLexer)
