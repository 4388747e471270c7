"""What the site has of the person of a request, handed to whoever answers it."""

import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.contrib.admin import AdminSite
from django.http import FileResponse, HttpRequest

from lifecycle.admin.visibility import may_view
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.row_names import row_of
from lifecycle.phrases import phrase
from purge.exports.collect import collect
from purge.exports.write import export
from purge.models import Request
from purge.requests.tries import is_gone

ANOTHER = phrase("The row of this request is gone: the one that has its key now came later.")


class Handed(io.FileIO):
    """A file that goes, with its folder, once it was handed over."""

    def close(self) -> None:
        """Also where the client went away meanwhile."""
        super().close()
        shutil.rmtree(Path(str(self.name)).parent, ignore_errors=True)


def export_of(
    request: HttpRequest, site: AdminSite, found: Request, actor: str, files: bool
) -> FileResponse:
    """The zip, a piece at a time from the disk.

    `LifecycleError` where the row is gone, also if another has its key since; or where rows belong
    to it of a model that the user may not view: an export without them would not be all there is.
    """
    using = str(found._state.db)
    row = row_of(f"{found.model}:{found.key}", using)
    if is_gone(found, type(row), using):
        raise RowMissing(ANOTHER)
    hidden = [each.model for each in collect(row, using) if not may_view(request, site, each.model)]
    if hidden:
        names = ", ".join(sorted(each._meta.label for each in hidden))
        raise LifecycleError(
            phrase("It has rows of models that you may not view: %(names)s.", names=names)
        )
    folder = Path(tempfile.mkdtemp(prefix="lifecycle-"))
    try:
        export(row, folder / "export.zip", using, actor, files, cause="admin")
        content: Any = Handed(folder / "export.zip")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    name = f"request-{found.pk}.zip"
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/zip")
