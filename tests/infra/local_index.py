"""A package index on this machine, with wheels made here."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def end_headers(self) -> None:
        """A page is old at once, as one of yesterday is."""
        self.send_header("Cache-Control", "max-age=0")
        super().end_headers()


class Index:
    """The folder that is served at `url`."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def add(self, name: str, version: str, *metadata: str) -> str:
        """Put a wheel there; the line that locks it."""
        place = self.folder / "simple" / name
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{name}-{version}-py3-none-any.whl"
        write_wheel(file, name, version, metadata)
        links = [f'<a href="{wheel.name}">{wheel.name}</a>' for wheel in place.glob("*.whl")]
        (place / "index.html").write_text("<!DOCTYPE html><body>" + "\n".join(links) + "</body>")
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


def write_wheel(file: Path, name: str, version: str, metadata: tuple[str, ...]) -> None:
    info = f"{name}-{version}.dist-info"
    said = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata]
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{info}/METADATA", "\n".join(said) + "\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        listed = [f"{name}.py", *(f"{info}/{part}" for part in ("METADATA", "WHEEL", "RECORD"))]
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in listed))


@contextmanager
def serving(folder: Path) -> Iterator[Index]:
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Index(folder, f"http://127.0.0.1:{server.server_port}/simple")
        finally:
            server.shutdown()
            thread.join()
