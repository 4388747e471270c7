"""The witness over HTTP: one path, small bodies, nobody waits for a client that says nothing."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lifecycle.proof.note import MOST_BYTES
from lifecycle.witness.protocol import Answer, Witness

PATH = "/add-checkpoint"
PATIENCE = 10.0  # seconds that a client may say nothing


class Handler(BaseHTTPRequestHandler):
    """One connection; it may ask several times."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "lifecycle-witness", ""
    timeout = PATIENCE
    witness: Witness

    def do_POST(self) -> None:
        """Answer a request for a cosignature."""
        if self.path != PATH:
            return self._send(Answer(404, b"no such path\n"), close=True)
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or len(length) > 9:
            return self._send(Answer(411, b"Content-Length\n"), close=True)
        if int(length) > MOST_BYTES:
            return self._send(Answer(413, b"too large\n"), close=True)
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            return self._send(Answer(400, b"the body ends early\n"), close=True)
        try:
            answer = self.witness.answer(body)
        except OSError:  # the state could not be written: nothing is signed
            answer = Answer(503, b"the state cannot be written\n")
        self._send(answer)

    def _send(self, answer: Answer, close: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """A line for each request, without what could move a terminal's cursor."""
        line = (format % args).encode("unicode_escape").decode("ascii")
        super().log_message("%s", line)


class Server(ThreadingHTTPServer):
    """Listens until it is stopped."""

    daemon_threads = True
    allow_reuse_address = True


def server(address: tuple[str, int], witness: Witness) -> Server:
    """A server for a witness, bound to its address; port 0 takes a free one."""
    return Server(address, type("WitnessHandler", (Handler,), {"witness": witness}))
