"""Values of every type that a column may have, as text that PostgreSQL takes."""

import json
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

ONE = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
SPECIAL = ("", "NULL", "null", "\\N", "\\.", "a\nb\r\n", "\t", "\u2028", "😀", "{}", "[1]", "%s")
TEXT = st.text(ONE, max_size=8) | st.sampled_from([*SPECIAL, *"\"'\\"])
BIG = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53, 2**53 - 1, -(2**53) - 1])
DECIMAL = st.decimals(-99999999, 99999999, places=2).map(str) | st.just("NaN")
WIDE = st.decimals(allow_nan=False, allow_infinity=False).map(lambda d: f"{d:f}"[:400])
FLOAT = st.floats().map(repr) | st.sampled_from(["NaN", "Infinity", "-Infinity", "-0", "1e-05"])
REAL = st.floats(width=32).map(repr)
MOMENT = st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC)).map(
    lambda moment: moment.isoformat()
) | st.sampled_from(
    ["infinity", "-infinity", "0044-03-15 12:00:00.000001+00 BC", "12024-01-01 UTC"]
)
LOCAL = st.datetimes(datetime(1, 1, 1)).map(str) | st.sampled_from(["infinity", "4713-01-01 BC"])
DATE = st.dates(date(1, 1, 1)).map(str) | st.sampled_from(
    ["infinity", "0001-01-01 BC", "99999-01-01"]
)
TIME = st.times().map(str) | st.sampled_from(["24:00:00", "00:00", str(time.max)])
SPAN = st.timedeltas(timedelta(-(10**6)), timedelta(10**6)).map(
    lambda span: f"{span.days} days {span.seconds} seconds {span.microseconds} microseconds"
) | st.sampled_from(["1 year -2 months 3 days -04:05:06.789", "-1 mon", "0", "-00:00:00.000001"])
LEAF = st.none() | st.booleans() | BIG | st.floats(allow_nan=False, allow_infinity=False) | TEXT
TREE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
).map(lambda tree: json.dumps(tree, ensure_ascii=False))
DOCUMENT = TREE | st.sampled_from(["null", '"null"', "1e400", "0.10", "-0", "{}", '"}"', "9" * 30])


def array(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Arrays of one dimension, with NULLs; of two; and one that does not begin at 1."""
    flat = st.lists(inner | st.none(), max_size=3)
    told = flat.map(lambda elements: "{" + ",".join(map(_element, elements)) + "}")
    nested = st.tuples(inner | st.none(), inner).map(
        lambda pair: f"{{{{{_element(pair[0])}}},{{{_element(pair[1])}}}}}"
    )
    return told | nested | inner.map(lambda element: f"[0:0]={{{_element(element)}}}")


def _element(element: str | None) -> str:
    if element is None:
        return "NULL"
    return '"' + element.replace("\\", "\\\\").replace('"', '\\"') + '"'


INTEGERS = st.integers(-9, 9).map(str)
RANGE = st.sampled_from(["empty", "[1,5)", "(,3]", "[2,)", "(,)"])
TYPES: dict[str, st.SearchStrategy[str]] = {
    "smallint": st.integers(-(2**15), 2**15 - 1).map(str),
    "integer": st.integers(-(2**31), 2**31 - 1).map(str),
    "bigint": BIG.map(str),
    "numeric": WIDE | st.sampled_from(["NaN", "Infinity", "-Infinity", "0.10", "1e40", "-0.00"]),
    "numeric(10,2)": DECIMAL,
    "numeric(40,3)": st.decimals(-(10**9), 10**9, places=3).map(str),
    "real": REAL,
    "double precision": FLOAT,
    "boolean": st.sampled_from(["true", "false"]),
    "text": TEXT,
    "character varying(60)": TEXT,
    "character(5)": st.text("ab ", max_size=5),
    "uuid": st.uuids().map(str),
    "jsonb": DOCUMENT,
    "json": st.sampled_from(['{"a":  1,\n "a": 2.50}', "null", '"x"', "[]"]),
    "bytea": st.binary(max_size=5).map(lambda raw: "\\x" + raw.hex()),
    "date": DATE,
    "time without time zone": TIME,
    "time with time zone": st.sampled_from(
        ["12:00+05:30", "24:00:00-15:59:59", "00:00:00.000001Z"]
    ),
    "timestamp with time zone": MOMENT,
    "timestamp(3) with time zone": MOMENT,
    "timestamp without time zone": LOCAL,
    "interval": SPAN,
    "inet": st.ip_addresses().map(str) | st.sampled_from(["10.1.2.3/8", "::1/64"]),
    "cidr": st.sampled_from(["10.0.0.0/8", "2001:db8::/32"]),
    "macaddr": st.sampled_from(["08:00:2b:01:02:03"]),
    "bit varying": st.text("01", max_size=5),
    "int4range": RANGE,
    "int8multirange": st.sampled_from(["{}", "{[1,3),[5,9)}", "{(,)}"]),
    "numrange": st.sampled_from(["(1.50,2.5]", "empty"]),
    "tstzrange": st.sampled_from(['["2024-01-01 00:00:00.5+00",infinity)', "(,)"]),
    "daterange": st.sampled_from(["[2024-01-01,2024-02-01)"]),
    "integer[]": array(INTEGERS),
    "bigint[]": array(BIG.map(str)),
    "text[]": array(TEXT),
    "character varying(20)[]": array(TEXT),
    "boolean[]": array(st.sampled_from(["t", "f"])),
    "double precision[]": array(FLOAT),
    "numeric(10,2)[]": array(DECIMAL),
    "jsonb[]": array(DOCUMENT),
    "bytea[]": array(st.binary(max_size=3).map(lambda raw: "\\x" + raw.hex())),
    "timestamp with time zone[]": array(MOMENT),
    "uuid[]": array(st.uuids().map(str)),
    "int4range[]": array(RANGE),
    "box[]": st.sampled_from(["{(1,1),(0,0);(2,2),(1,1)}", "{}"]),
    "point": st.sampled_from(["(1.5,-0)", "(NaN,Infinity)"]),
}
#: of extensions, where the server has them
CONTRIB: dict[str, tuple[str, st.SearchStrategy[str]]] = {
    "citext": ("citext", TEXT),
    "hstore": ("hstore", st.sampled_from(['"a"=>"1", "b"=>NULL', "", '"q\\"x"=>"NULL"'])),
    "citext[]": ("citext", array(TEXT)),
}
