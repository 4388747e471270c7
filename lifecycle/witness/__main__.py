"""`python -m lifecycle.witness`: run a witness, or make its key."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from lifecycle.proof.encoding import without_controls
from lifecycle.proof.errors import ProofError
from lifecycle.proof.keys import COSIGNATURE, NOTE, SignerKey, VerifierKey
from lifecycle.witness import state
from lifecycle.witness.protocol import Witness
from lifecycle.witness.server import server


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, or stopped by a signal; 1 it could not begin."""
    options = _parser().parse_args(arguments)
    try:
        if options.new_key:
            return _new_key(options.new_key, options.key)
        if options.begin:
            state.create(options.state)
        _run(options)
    except (OSError, ProofError) as error:
        sys.stderr.write(f"The witness does not run: {error}.\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lifecycle.witness", description="Cosign logs that only grow."
    )
    parser.add_argument("--key", required=True, metavar="FILE", help="the witness's secret key")
    parser.add_argument("--new-key", metavar="NAME", help="make the key under a name, and stop")
    parser.add_argument(
        "--state", default="witness.json", metavar="FILE", help="what it has signed"
    )
    parser.add_argument(
        "--begin", action="store_true", help="make the state: it has signed nothing"
    )
    parser.add_argument(
        "--log", action="append", default=[], metavar="KEY", help="of a log it knows"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8787)
    return parser


def _new_key(name: str, path: str) -> int:
    key = SignerKey.generate(name, COSIGNATURE)
    with open(
        os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(f"{key.secret_text()}\n")
    sys.stdout.write(f"{key.verifier}\n")
    return 0


def _run(options: argparse.Namespace) -> None:
    key, logs = _key(options.key), _logs(options.log)
    with state.opened(options.state) as remembered:
        listening = server((options.host, options.port), Witness(key, logs, remembered))
        signal.signal(signal.SIGTERM, _stop)
        sys.stdout.write(f"{key.verifier}\nlistening on {options.host}:{listening.server_port}\n")
        sys.stdout.flush()
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            listening.server_close()


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _key(path: str) -> SignerKey:
    with open(path, "rb") as file:
        key = SignerKey.parse(without_controls(file.read()).removesuffix("\n"))
    if key.verifier.algorithm != COSIGNATURE:
        raise ProofError(f"{key.name} is no witness's key")
    return key


def _logs(keys: Sequence[str]) -> dict[str, list[VerifierKey]]:
    logs: dict[str, list[VerifierKey]] = {}
    for each in map(VerifierKey.parse, keys):
        if each.algorithm != NOTE:
            raise ProofError(f"{each.name} is no log's key")
        logs.setdefault(each.name, []).append(each)
    if not logs:
        raise ProofError("no --log is named")
    return logs


if __name__ == "__main__":
    sys.exit(main())
