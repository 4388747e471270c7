"""DATABASE_URL, part by part."""

from typing import Any

import pytest

from demo.postgres_url import parse

RIGHT: list[tuple[str, dict[str, Any]]] = [
    (
        "postgres://ann:secret@db.example.com:5433/site",
        {
            "ENGINE": "django.db.backends.postgresql",
            "USER": "ann",
            "PASSWORD": "secret",
            "HOST": "db.example.com",
            "PORT": "5433",
            "NAME": "site",
            "OPTIONS": {},
        },
    ),
    ("postgresql://h/n", {"HOST": "h", "NAME": "n", "USER": "", "PASSWORD": "", "PORT": ""}),
    ("postgres:///n", {"HOST": "", "NAME": "n"}),
    ("postgres://u:p%40%2F%3A%23%3F%25@h/n", {"PASSWORD": "p@/:#?%"}),
    ("postgres://u:p@ss@h/n", {"USER": "u", "PASSWORD": "p@ss", "HOST": "h"}),
    ("postgres://u:a:b@h/n", {"USER": "u", "PASSWORD": "a:b"}),
    ("postgres://u:p+w@h/n", {"PASSWORD": "p+w"}),
    ("postgres://u%C3%A9@h/na%20me", {"USER": "ué", "NAME": "na me"}),
    ("postgres://u@[::1]:6543/n", {"HOST": "::1", "PORT": "6543"}),
    ("postgres://u@[::1]/n", {"HOST": "::1", "PORT": ""}),
    ("postgres://u@%2FVar%2Frun/n", {"HOST": "/Var/run"}),
    ("postgres:///n?host=/var/run/pg&port=5433&user=u", {"HOST": "/var/run/pg", "PORT": "5433"}),
    (
        "postgres://h/n?sslmode=require&connect_timeout=5",
        {"OPTIONS": {"sslmode": "require", "connect_timeout": "5"}},
    ),
    (
        "postgres://h/n?options=-c%20search_path%3Da",
        {"OPTIONS": {"options": "-c search_path=a"}},
    ),
]

WRONG = [
    ("sqlite:///x", "only PostgreSQL"),
    ("host=x dbname=y", "must begin with postgres://"),
    ("postgres://h", "names no database"),
    ("postgres://h/", "names no database"),
    ("postgres://h/a/b", "'/' in its name"),
    ("postgres://u:hidden@h:five/n", "port that is no number"),
    ("postgres://u:hidden@h:70000/n", "port that is no number"),
    ("postgres://u:hid/den@h/n", "'/' or '@' in it not encoded"),
    ("postgres://u:hid#den@h/n", "write it as %23"),
    ("postgres://u:hid?den@h/n", "options|port|database"),
    ("postgres://u:%ff@h/n", "password that is not UTF-8"),
    ("postgres://u:%00@h/n", "NUL in its password"),
    ("postgres://h/n?sslmod=require", "unknown option 'sslmod', did you mean 'sslmode'"),
    ("postgres://h/n?sslmode", "form name=value"),
    ("postgres://h/n?port=1&port=2", "an option twice"),
    ("postgres://h/n?port=x", "port that is no number"),
    ("postgres://[::1/n", "unfinished IPv6"),
]


@pytest.mark.parametrize(("url", "expected"), RIGHT)
def test_right(url: str, expected: dict[str, Any]) -> None:
    entry = parse(url)
    assert {name: entry[name] for name in expected} == expected


@pytest.mark.parametrize(("url", "message"), WRONG)
def test_wrong(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse(url)
    assert "hid" not in str(caught.value)
    assert "den" not in str(caught.value)
