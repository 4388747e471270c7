"""Bundles are looked up from an index on, however many are before it."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from lifecycle.exceptions import LifecycleError
from purge.archive.destinations import destination
from purge.proof import bundle
from purge.proof.published import read_lines
from purge.proof.store import ProofStore
from tests.s3.swift import Server

NAMES = ["a/1", "a/2/x", "a/2/y", "a/3", "ab", "b/1"]


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProofStore]:
    settings = {"LIFECYCLE_ARCHIVE_DIR": str(tmp_path)}
    if request.param == "bucket":
        server: Server = request.getfixturevalue("s3_server")
        settings |= server.bucket().settings
    with override_settings(**settings):
        yield ProofStore(destination(), "log/")


def put(store: ProofStore, names: list[str]) -> None:
    for name in names:
        store.where.put(store.prefix + name, io.BytesIO(b"x"), {})


def test_names_are_those_below_and_after(store: ProofStore) -> None:
    put(store, NAMES)
    store.where.put("other/a/1", io.BytesIO(b"x"), {})
    assert list(store.names("")) == NAMES
    assert list(store.names("a/")) == NAMES[:4]
    assert list(store.names("a")) == NAMES[:5]
    assert list(store.names("a/2")) == ["a/2/x", "a/2/y"]
    assert list(store.names("a/", "a/1")) == NAMES[1:4]
    assert list(store.names("a/", "a/2/x")) == NAMES[2:4]
    assert list(store.names("", "b/1")) == []
    assert list(store.names("nothing/")) == []


def test_bundles_that_may_have_an_index(store: ProofStore) -> None:
    most = bundle.MOST
    spans = [(0, 5), (5, most), (most, 2 * most), (2 * most, 2 * most + 1)]
    paths = [bundle.path_of(*span) for span in spans]
    put(store, paths)
    assert list(bundle.paths_from(store, 0)) == paths
    assert list(bundle.paths_from(store, most - 1)) == paths
    assert list(bundle.paths_from(store, 2 * most - 1)) == paths[2:]
    assert list(bundle.paths_from(store, 2 * most)) == paths[2:]
    assert [bundle.span_of(path) for path in paths] == spans


EVENT = ["1", "purged", "", "a.b", "1", None, None, "5", None, "", "", None, "{}", None, "7", None]


def odd(place: int, value: object) -> str:
    return json.dumps([value if at == place else each for at, each in enumerate(EVENT)])


@pytest.mark.parametrize(
    "line",
    [
        "", "5", "{}", "[]", "null", '"abcdefghijklmnopq"', '["1"]', "[", odd(0, 1), odd(14, 7),
        odd(12, {}), odd(3, ["a"]), odd(10, "\ud800"), json.dumps(EVENT[:13]),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_with_a_reason(line: str, tmp_path: Path) -> None:
    """Who may write the store may write anything."""
    with override_settings(LIFECYCLE_ARCHIVE_DIR=str(tmp_path)):
        store, path = ProofStore(destination(), "log/"), bundle.path_of(0, 1)
        store.put(path, bundle.lock(bundle.encode(f"{line}\n", b"s" * 16), None, path))
        with pytest.raises(LifecycleError):
            list(read_lines(store, None, lambda start, end: b"x" * 32 * (end - start), 0, 1))


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_bundle_that_is_cut_is_refused(cut: int) -> None:
    data = bundle.encode(f"{json.dumps(EVENT)}\n" * 3, b"s" * 48)
    assert [line.leaf_index for line in bundle.decode(data, 5)] == [5, 6, 7]
    with pytest.raises(LifecycleError):
        bundle.decode(data[:cut], 5)
