"""Sphinx's settings for `make docs`. The pages are laid out by .ci/pages.py."""

import re
import tomllib
from pathlib import Path

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
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"footer_icons": []}
highlight_options = {}
linkcheck_ignore = [r"https?://[\w.-]*\.example\b.*", r"http://(127\.0\.0\.1|localhost)\b.*"]
linkcheck_timeout = 20
linkcheck_workers = 4


ITEM = re.compile(r"(?P<name>\w[\w, ]*?)\s{2,}(?P<text>\S.*)")


def as_fields(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list) -> None:
    """A docstring's columns, of a name and what is said of it, as a list of fields."""
    made: list[str] = []
    inside = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line[:1].isalpha() and (found := ITEM.fullmatch(line)):
            made += [] if inside else [""]
            made.append(f":{found['name']}: {found['text']}")
            inside = True
        elif inside and line[:1].isalpha() and following.startswith("      "):
            made.append(f":{line.strip()}:")
        elif inside and line.startswith("    "):
            made.append(f"    {line.strip()}")
        else:
            made.append(line)
            inside = False
    lines[:] = made


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", as_fields)
    app.add_lexer("crontab", TextLexer)
