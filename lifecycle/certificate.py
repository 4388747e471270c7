"""`python -m lifecycle.certificate FILE --key KEY`: whether a certificate holds, and what it says.

Asks nobody: no network, no database, no Django. Needs the standard library and `cryptography`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from lifecycle.proof.certificate import Certificate
from lifecycle.proof.encoding import without_controls
from lifecycle.proof.errors import ProofError
from lifecycle.proof.keys import COSIGNATURE, NOTE, VerifierKey

HOLDS, REFUSED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 it holds, 1 it does not, 2 it could not be checked."""
    options = _parser().parse_args(arguments)
    try:
        data = _read(options.file)
        log = list(_keys(options.key, NOTE))
        witnesses = list(_keys(options.witness, COSIGNATURE))
    except (OSError, ProofError) as error:
        sys.stderr.write(f"Not checked: {error}\n")
        return USAGE
    quorum = len({key.name for key in witnesses}) if options.quorum is None else options.quorum
    try:
        checked = Certificate.parse(data).verify(log, witnesses, quorum)
    except ProofError as error:
        sys.stderr.write(f"It does not hold: {error}.\n")
        return REFUSED
    from lifecycle.proof.readable import as_json, readable

    if options.closed:
        with open(options.closed, "wb") as out:
            out.write(checked.certificate.closed.encode())
    sys.stdout.write(as_json(checked) + "\n" if options.json else readable(checked))
    return HOLDS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lifecycle.certificate", description="Check a certificate of a deletion."
    )
    parser.add_argument("file", help="the .tlog-proof")
    parser.add_argument(
        "--key", action="append", required=True, help="the log's: name+id+base64, or a file of such"
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        help="the key of a witness that has to have signed",
    )
    parser.add_argument("--quorum", type=int, help="how many of the witnesses; default: all")
    parser.add_argument("--closed", metavar="OUT", help="write a copy there that names nobody")
    parser.add_argument("--json", action="store_true")
    return parser


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _keys(given: Sequence[str], algorithm: int) -> Iterator[VerifierKey]:
    for each in given:
        for line in [each] if "+" in each else without_controls(_read(each)).split("\n"):
            if line and not line.startswith("#"):
                key = VerifierKey.parse(line)
                if key.algorithm != algorithm:
                    raise ProofError(f"{key.name} is not the key of a log, or of a witness")
                yield key


if __name__ == "__main__":
    sys.exit(main())
