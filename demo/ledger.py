"""The ledger's log of the demonstration: under which name, and with keys that are made once.

A production site makes its keys by `manage.py lifecycle proof --new-key`, and keeps them where no
backup of the database is.
"""

import base64
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

from .kept import keep_once

HOST = "demo.example"


def proof(folder: Path, database: dict[str, Any] | None) -> dict[str, Any]:
    """LIFECYCLE_PROOF. Each database has a log of its own; both keys are kept in `folder`."""
    signing, events = folder / "ledger.key", folder / "ledger-events.key"
    keep_once(signing, _new_signing_key)
    keep_once(events, _new_events_key)
    origin = f"{HOST}/{_name(database)}"
    return {"origin": origin, "signing_key": str(signing), "key": str(events)}


def _name(database: dict[str, Any] | None) -> str:
    """Of a database, `ledger` for the embedded one; the password is no part of it."""
    if database is None:
        return "ledger"
    where = {name: database.get(name) for name in ("HOST", "PORT", "NAME")}
    told = f"{sorted(where.items())}{database.get('OPTIONS', {}).get('host', '')}"
    return sha256(told.encode()).hexdigest()[:12]


def _new_signing_key() -> str:
    from lifecycle.proof.keys import SignerKey

    return SignerKey.generate(HOST).secret_text()


def _new_events_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
