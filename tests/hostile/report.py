"""From the first table to the page, docs/reference/hostile-hosts.md."""

import re
import textwrap
from collections import Counter
from dataclasses import dataclass, field

from django.core.checks import CheckMessage
from django.db import connection

from lifecycle.policy.policy import Policy
from lifecycle.promises import check as promises
from tests.hostile import oracle
from tests.hostile.expected import EXPECTED_WRONG
from tests.hostile.forms import FORMS
from tests.hostile.models import HOSTS, Host
from tests.hostile.site import Site
from tests.hostile.writers import WRITERS

HEAD = """# Hostile hosts

What becomes of rows on tables that a host has made in its own way: {keys} types of keys, {forms}
forms of tables, written in {writers} ways:
{ways}.

On each table some rows are due and some are not; where a form keeps rows from going, it keeps some
of those that are due. Then a worker that owns nothing makes one pass.

- **right**: what was due is gone and recorded once, all else is there as it was.
- **blocked**: so too, only that rows which cannot go are there, and the ledger says why.
- **refused**: nothing ends that should not, and a [check](checks.md) names the table.

{cells} cells: {counts}.

This page is made by `python -m tests.hostile`, and compared with what happens by a test; `--all`
takes every key on every form.

| table | keys | rows end | why |
|---|---|---|---|
"""


@dataclass
class Found:
    """How each table's cells ended, by writer; what the worker raised; what `verify` says."""

    ends: dict[Host, dict[str, oracle.End]] = field(default_factory=dict)
    raised: Exception | None = None
    broken: list[str] = field(default_factory=list)


def run() -> Found:
    """Make, write, purge, judge."""
    site = Site()
    try:
        site.make()
        site.write()
        before, since = oracle.look(HOSTS), oracle.newest()
        found = Found(raised=site.purge())
        after, messages = oracle.look(HOSTS), site.checks()
        for host in HOSTS:
            checks = said_of(host, messages)
            found.ends[host] = {
                write.__name__: (oracle.REFUSED, ", ".join(sorted(checks))) for write in WRITERS
            }
            if host.form.create:
                told = oracle.recorded(host, since)
                seen = before[host.number], after[host.number]
                found.ends[host] = oracle.judge(*seen, told, checks)
        for name, violations in promises.check("default").items():
            found.broken += [f"{name}: {each.subject}: {each.problem}" for each in violations]
        return found
    finally:
        connection.close()
        site.drop_roles()


def said_of(host: Host, messages: list[CheckMessage]) -> set[str]:
    """The ids of the checks that name a table, or its policy."""
    own = re.compile(rf"{re.escape(host.db_table)}(?!\d)")
    return {
        str(each.id).removeprefix("lifecycle.")
        for each in messages
        if not each.is_silenced()
        and (each.obj.name == host.policy if isinstance(each.obj, Policy) else own.search(each.msg))
    }


def faults(found: Found) -> list[str]:
    """What must not be: bad cells that are not expected, expected ones that are not there, and
    promises broken on tables all of whose rows ended as they should."""
    bad = {host: _bad(ends) for host, ends in found.ends.items()}
    known = {host for host in bad if any(_is(host, line) for line in EXPECTED_WRONG)}
    lines = [
        f"{host.key.name} on {host.form.name}, {writer}: {', '.join(end)}"
        for host, ends in bad.items()
        if host not in known
        for writer, end in ends.items()
    ]
    for line in EXPECTED_WRONG:
        if not any(bad[host] for host in bad if _is(host, line)):
            lines.append(f"expected, and not there: {line}")
    if found.raised and not known:
        lines.append(f"the worker has raised {found.raised!r}")
    return lines + [each for each in found.broken if _is_whole(each, found)]


def _bad(ends: dict[str, oracle.End]) -> dict[str, oracle.End]:
    return {name: end for name, end in ends.items() if end[0] in (oracle.WRONG, oracle.SILENT)}


def _is(host: Host, line: tuple[str, str]) -> bool:
    key, form = line
    return key in ("*", host.key.name) and form in ("*", host.form.name)


def _is_whole(violation: str, found: Found) -> bool:
    """Whether a broken promise is about a table that should keep it."""
    for host, ends in found.ends.items():
        if f": {host.model._meta.label_lower}:" in violation:
            return {end for end, _ in ends.values()} <= {oracle.RIGHT, oracle.BLOCKED}
    return True


def page(found: Found) -> str:
    """The page: a line for each form and each way in which its cells end."""
    counts = Counter(end for ends in found.ends.values() for end, _ in ends.values())
    head = HEAD.format(
        keys=len({host.key.name for host in HOSTS}),
        forms=len(FORMS),
        writers=len(WRITERS),
        ways=_ways(),
        cells=sum(counts.values()),
        counts=", ".join(f"{count} {end}" for end, count in sorted(counts.items())),
    )
    return head + "".join(line for form in FORMS for line in _lines(form.name, found))


def _ways() -> str:
    names = ", ".join(write.__name__.replace("_", " ") for write in WRITERS)
    return textwrap.fill(names, 98)


def _lines(form: str, found: Found) -> list[str]:
    keys: dict[tuple[str, str, str], list[str]] = {}
    for host, ends in found.ends.items():
        if host.form.name == form:
            for end in sorted(set(ends.values())):
                by = sorted(name for name, own in ends.items() if own == end)
                ways = "" if len(by) == len(WRITERS) else f" ({', '.join(by)})"
                keys.setdefault((*end, ways), []).append(host.key.name)
    return [
        f"| {form} | {', '.join(names)}{ways.replace('_', ' ')} | {end} | {why} |\n"
        for (end, why, ways), names in keys.items()
    ]
