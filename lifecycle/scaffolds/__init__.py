"""Ready-made policies for packages that fill up tables: text to paste into an app of the site.

Each is a file of `scaffolds/`: what it does, the app that it needs, `models.py`, `policies.py`.
"""

from dataclasses import dataclass
from pathlib import Path

from lifecycle.exceptions import LifecycleError, did_you_mean

FOLDER = Path(__file__).parent
PARTS = ("needs", "models", "policies")


@dataclass(frozen=True)
class Scaffold:
    """What stands in one file; `needs` is the package's name in INSTALLED_APPS.

    `models` is empty where the tables belong to apps of the site: nothing stands on a proxy.
    """

    name: str
    says: str
    needs: str
    models: str
    policies: str

    def as_text(self) -> str:
        """All of it, as one text that Python reads too."""
        comment = "\n".join(f"# {line}" for line in self.says.splitlines())
        models = "# models.py of an app of your own, after"
        models = f"{models} {self.needs!r} in INSTALLED_APPS\n{self.models}\n\n"
        return (
            f"{comment}\n\n{models if self.models else ''}"
            f"# policies.py of {'the same app' if self.models else 'an app of your own'}\n"
            f"{self.policies}\n\n"
            "# Then: `manage.py makemigrations`, `manage.py migrate`,"
            " `manage.py lifecycle status`\n"
        )


def names() -> list[str]:
    """What there is."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def scaffold(name: str) -> Scaffold:
    """The one of that name; `LifecycleError` with a suggestion where there is none."""
    known = names()
    if name not in known:
        hint = did_you_mean(name, known, f" There are {', '.join(known)}.")
        raise LifecycleError(f"There is no scaffold {name!r}.{hint}")
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    parts = {}
    for part in reversed(PARTS):
        text, _, parts[part] = text.partition(f"--- {part}\n")
    return Scaffold(name, text.strip(), **{part: parts[part].strip() for part in PARTS})
