"""The files of a table as pyiceberg wants to have them: read from the place of archives, and what
is written held in memory, until somebody puts it there.

So nothing is at the place that was not noted before, and nothing goes there or away but by the same
steps as every other archive. Needs pyiceberg.
"""

from io import BytesIO
from typing import Any

from django.core.exceptions import ImproperlyConfigured

try:
    from pyiceberg.io import FileIO, InputFile, OutputFile
except ImportError as error:
    raise ImproperlyConfigured(
        "Archives as tables need pyiceberg: pip install django-tombstone[iceberg]"
    ) from error

from purge.archive.destinations import Destination
from purge.exceptions import ArchiveError

LARGEST = 64 * 2**20  # bytes of one file of metadata


class Objects(FileIO):
    """Reads what is at a place. `staged` has by name what was written, in its order."""

    def __init__(self, where: Destination) -> None:
        super().__init__()
        self.where = where
        self.staged: dict[str, bytes] = {}

    def new_input(self, location: str) -> InputFile:
        return _Input(location, self)

    def new_output(self, location: str) -> OutputFile:
        return _Output(location, self)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise ArchiveError("Nothing of a table is deleted by pyiceberg.")

    def name_of(self, location: str) -> str:
        """The name of an object at the place; `ArchiveError` for one that is elsewhere."""
        own = self.where.url("")
        if not location.startswith(own):
            raise ArchiveError(f"{location} is not in {self.where.title}.")
        return location.removeprefix(own)

    def read(self, name: str) -> bytes:
        """A file of metadata; `ArchiveError` for one that is larger than any is."""
        if name in self.staged:
            return self.staged[name]
        body = BytesIO()
        for part in self.where.read(name):
            body.write(part)
            if body.tell() > LARGEST:
                raise ArchiveError(f"{name} in {self.where.title} is too large for metadata.")
        return body.getvalue()


class _Input(InputFile):
    def __init__(self, location: str, objects: Objects) -> None:
        super().__init__(location)
        self.objects = objects

    def __len__(self) -> int:
        return len(self.objects.read(self.objects.name_of(self.location)))

    def exists(self) -> bool:
        name = self.objects.name_of(self.location)
        return name in self.objects.staged or name in dict(self.objects.where.names(name))

    def open(self, seekable: bool = True) -> Any:
        return BytesIO(self.objects.read(self.objects.name_of(self.location)))


class _Output(OutputFile):
    def __init__(self, location: str, objects: Objects) -> None:
        super().__init__(location)
        self.objects = objects

    def __len__(self) -> int:
        return len(self.objects.staged[self.objects.name_of(self.location)])

    def exists(self) -> bool:
        return self.objects.name_of(self.location) in self.objects.staged

    def to_input_file(self) -> InputFile:
        return _Input(self.location, self.objects)

    def create(self, overwrite: bool = False) -> Any:
        return _Held(self.objects, self.objects.name_of(self.location))


class _Held(BytesIO):
    """What is being written; it is staged as soon as it is closed."""

    def __init__(self, objects: Objects, name: str) -> None:
        super().__init__()
        self.objects, self.name = objects, name

    def close(self) -> None:
        if not self.closed:
            self.objects.staged[self.name] = self.getvalue()
        super().close()
