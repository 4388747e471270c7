"""`make messages`: what the code says to people, into the catalogues, and those compiled.

Needs the gettext tools. A message that is new is empty in the catalogue, one whose English has
changed is marked as fuzzy there: translate it, take the mark away, and run this again.
"""

import os
import shutil
import sys
from pathlib import Path

import django
import polib
from django.core.management import call_command
from django.core.management.commands import makemessages

ROOT = Path(__file__).resolve().parent.parent
APPS = ("lifecycle", "purge")
LANGUAGES = ["de"]
TOOLS = ("xgettext", "msgmerge", "msguniq", "msgattrib")
DATES = ("POT-Creation-Date", "PO-Revision-Date", "Report-Msgid-Bugs-To", "Last-Translator",
         "Language-Team")  # fmt: skip


class Command(makemessages.Command):
    """Django's own, which also knows what `lifecycle.phrases` marks."""

    xgettext_options = [
        *makemessages.Command.xgettext_options, "--keyword=phrase:1", "--keyword=counted:1,2",
    ]  # fmt: skip


def main() -> int:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"{', '.join(missing)} not found: install gettext (Debian: apt-get install gettext).")
        return 1
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
    django.setup()
    for app in APPS:
        os.chdir(ROOT / app)
        Path("locale").mkdir(exist_ok=True)
        call_command(
            Command(), locale=LANGUAGES, add_location="file", no_wrap=False, no_obsolete=True,
            verbosity=0,
        )  # fmt: skip
    catalogues = [path for app in APPS for path in (ROOT / app).glob("locale/*/*/django.po")]
    left = sum(compiled(path) for path in catalogues)
    if left:
        print(f"{left} messages wait for a translation.")
    return 0


def compiled(path: Path) -> int:
    """Compile a catalogue, as it is the same on each day; how many of it are not translated."""
    catalogue = polib.pofile(str(path), wrapwidth=100)
    for name in DATES:
        catalogue.metadata.pop(name, None)
    catalogue.metadata_is_fuzzy = False
    catalogue.save()
    catalogue.save_as_mofile(str(path.with_suffix(".mo")))
    return len(catalogue.untranslated_entries()) + len(catalogue.fuzzy_entries())


if __name__ == "__main__":
    sys.exit(main())
