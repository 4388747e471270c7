"""A DATABASES entry from a PostgreSQL address: postgres://user:password@host:port/name?option=value

Each part may be percent-encoded; a part with `/`, `?`, `#`, `@` or `:` in it must be. A Unix socket
is `?host=/folder`, or its percent-encoded folder as the host. Options are those of libpq.
Raises ValueError whose text goes after the name of the variable, and never holds a password.
"""

from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl, unquote

from psycopg import pq

SCHEMES = ("postgres", "postgresql")
# libpq's names for what Django keeps outside OPTIONS.
PARTS = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT", "dbname": "NAME"}


def parse(url: str) -> dict[str, Any]:
    """The entry for `url`; does not connect."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError("must begin with postgres:// (only PostgreSQL is supported)")
    if "#" in rest:
        raise ValueError("has a '#': write it as %23")
    address, _, query = rest.partition("?")
    authority, _, name = address.partition("/")
    account, _, host = authority.rpartition("@")
    entry = _account(account) | _host(host) | {"NAME": _decoded(name, "database name")}
    options = _options(query)
    entry |= {PARTS[option]: options.pop(option) for option in list(options) if option in PARTS}
    return _checked(entry) | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options}


def _account(account: str) -> dict[str, str]:
    user, _, password = account.partition(":")
    return {"USER": _decoded(user, "user"), "PASSWORD": _decoded(password, "password")}


def _host(host: str) -> dict[str, str]:
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise ValueError("has an unfinished IPv6 address: [::1]:5432")
        return {"HOST": name, "PORT": port.removeprefix(":")}
    name, _, port = host.partition(":")
    return {"HOST": _decoded(name, "host"), "PORT": port}


def _options(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ValueError("has options that are not of the form name=value") from None
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    for name, _ in pairs:
        if name not in known:
            raise ValueError(f"has an unknown option {name!r}{_suggestion(name, known)}")
    if len(dict(pairs)) < len(pairs):
        raise ValueError("has an option twice")
    return dict(pairs)


def _suggestion(name: str, known: set[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def _decoded(part: str, what: str) -> str:
    try:
        value = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"has a {what} that is not UTF-8 when decoded") from None
    if "\0" in value:
        raise ValueError(f"has a NUL in its {what}")
    return value


def _checked(entry: dict[str, str]) -> dict[str, str]:
    port = entry["PORT"]
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        # Not shown: with an unencoded '/' in it, this is a piece of the password.
        raise ValueError("has a port that is no number (is a '/' or '@' in it not encoded?)")
    if not entry["NAME"] or "/" in entry["NAME"]:
        raise ValueError("names no database, or has a '/' in its name")
    return entry
