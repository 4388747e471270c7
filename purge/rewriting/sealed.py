"""The site's signature of manifests of archives that stand for others, by its SECRET_KEY.

The ledger has their SHA-256, and needs no signature. It is for a database that was restored and
does not know what it has done: who may write at the destination could say that it was so.
"""

import hashlib
from dataclasses import replace

from django.core.signing import BadSignature, Signer

from purge.archive.manifest import Manifest

SALT = "purge.rewriting.sealed"


def sealed(manifest: Manifest) -> Manifest:
    """The same with the signature of all that it says."""
    if manifest.replaces is None:
        return manifest
    text = _told(manifest)
    return replace(
        manifest, replaces=replace(manifest.replaces, seal=Signer(salt=SALT).signature(text))
    )


def is_sealed(manifest: Manifest) -> bool:
    """Whether this site has signed it, with its key or one of the fallbacks."""
    seal = manifest.replaces.seal if manifest.replaces else ""
    try:
        Signer(salt=SALT).unsign(f"{_told(manifest)}:{seal}")
    except BadSignature:
        return False
    return True


def _told(manifest: Manifest) -> str:
    """What is signed: the SHA-256 of the manifest without its signature."""
    own = manifest.replaces and replace(manifest.replaces, seal="")
    return hashlib.sha256(replace(manifest, replaces=own).as_json().encode()).hexdigest()
