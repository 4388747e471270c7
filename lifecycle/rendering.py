"""Pages to file or to send, from templates of these packages, whatever TEMPLATES the site has."""

from pathlib import Path
from typing import Any

from django.template import Context, Engine

LIBRARIES = {"i18n": "django.templatetags.i18n"}
TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, *folders: Path, **context: Any) -> str:
    """A template of `lifecycle` or of the given folders; what is put in is escaped. In the active
    language."""
    engine = Engine(dirs=[*map(str, folders), str(TEMPLATES)], libraries=LIBRARIES)
    return engine.get_template(template).render(Context(context))
