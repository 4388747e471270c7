"""Pages in a real browser as wide as a phone: Chromium, which shows each in a frame of its own.

The pages are those that Django's test client was given; they and the static files they ask for are
served on this machine, so that the browser needs no login and no database.
"""

import json
import mimetypes
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders

from tests.places.servers import program

OPTIONS = (
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
)
MEASURE = """<!doctype html><body>%(frames)s<pre id="measured"></pre><script>
const asked = %(asked)s, measured = [];
window.onload = () => {
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument;
    measured.push({
      wide: page.documentElement.scrollWidth,
      found: [...page.querySelectorAll(asked)].map(each => {
        const box = each.getBoundingClientRect();
        return {name: each.name, type: each.type, left: box.left, right: box.right};
      }),
    });
  }
  document.getElementById("measured").textContent = JSON.stringify(measured);
};
</script></body>"""


@contextmanager
def served(pages: list[str]) -> Iterator[str]:
    """Serves the pages as /0, /1, ..., what `MEASURE` makes of them as /, and static files."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            kind, content = mimetypes.guess_type(path)[0] or "text/html", b""
            if path.startswith(settings.STATIC_URL):
                content = Path(finders.find(path.removeprefix(settings.STATIC_URL))).read_bytes()
            elif path.strip("/").isdecimal():
                content = pages[int(path.strip("/"))].encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def chromium(*arguments: str) -> str:
    """What it prints."""
    command = [program("chromium"), *OPTIONS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def measured(pages: list[str], width: int, asked: str) -> list[dict[str, Any]]:
    """Of each page how wide it is, in a frame of that width, and where the asked elements stand."""
    frames = "".join(
        f'<iframe src="/{n}" width="{width}" height="844" style="border:0"></iframe>'
        for n in range(len(pages))
    )
    own = MEASURE % {"frames": frames, "asked": json.dumps(asked)}
    with served([*pages, own]) as address:
        dom = chromium("--virtual-time-budget=20000", "--dump-dom", f"{address}/{len(pages)}")
    return list(json.loads(unescape(re.search(r'<pre id="measured">(.+?)</pre>', dom)[1])))
