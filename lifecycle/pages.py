"""Where a page of the documentation is: in the wheel beside this module, or in the checkout."""

from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDERS = (HERE / "docs", HERE.parent / "docs")  # the wheel's, the checkout's


def page(name: str, anchor: str = "") -> str:
    """What a person can open: from the working directory where it is below that, else in full."""
    path = next((each / name for each in FOLDERS if (each / name).is_file()), Path("docs") / name)
    with suppress(ValueError, OSError):
        path = path.relative_to(Path.cwd())
    return f"{path}#{anchor}" if anchor else str(path)
