"""Random calls of whatever a role may call, with random settings and arguments, from a seed.

Functions are those that the catalogue says the role may execute; arguments are drawn by type from
values that mean something to the engine: names of policies and models, keys of living rows, kinds
of events, details that it writes itself.
"""

import json
import random
from collections import Counter
from typing import Any

import psycopg
from psycopg import sql

SETTINGS = ("ending", "actor", "cause", "run", "reason", "proof", "erasure", "tick")
KINDS = ("purged", "archived", "halted", "expired_by_hand", "restored", "settled", "deleted")
PEOPLE = ("restored", "expired_by_hand", "hold_placed", "hold_released")
DETAILS: dict[str, tuple[Any, ...]] = {
    "dropped": (True,), "again": (True,), "relisted": ("later", "released", "held"),
    "tombstone": (1, 2, 3, "x"), "names": ("a.jpg", ["../x"], 7, {"a": 1}),
    "grace_skipped": (True,),
    "cause": ("cascade", "replay", "\u202e\x1b[2J"), "reference": ("case-1",), "erasure": (1,),
    "state": ("halted", "enabled", "removed"), "override": (1,), "window": ("2020-01-01",),
    "anew": ("declared", "changed"), "holds": ([1, 2],), "ended_exceptions": (True,),
    "attempts": (9, "many"), "model": ("zoo.token", "zoo.order"), "kind": KINDS, "count": (1, 2),
    "basis": (1, 2, 3), "run": (1,), "policy": ("tokens", "orders", "drafts\nBcc: x"),
    "detail": ({"grace_skipped": True, "reference": "x", "media": {"zoo.upload.file": ["a"]}},),
}  # fmt: skip
ARGUMENTS = """
SELECT oid::regprocedure::text, pronargs - pronargdefaults,
    ARRAY(SELECT format_type(one, NULL) FROM unnest(proargtypes) WITH ORDINALITY AS t (one, place)
          ORDER BY place)
FROM pg_proc WHERE pronamespace = 'lifecycle'::regnamespace AND prokind = 'f'
AND prorettype <> 'trigger'::regtype AND has_schema_privilege('lifecycle', 'USAGE')
AND has_function_privilege(oid, 'EXECUTE')
"""
ATTACHABLE = """
SELECT oid::regproc::text FROM pg_proc
WHERE prorettype = 'trigger'::regtype AND pronamespace <> 'pg_catalog'::regnamespace
"""


class Fuzzer:
    """One role's session and what it draws; `own` are the tokens that it has written itself."""

    def __init__(self, session: psycopg.Connection[Any], seed: int, keys: list[str]) -> None:
        self.session, self.random, self.keys = session, random.Random(seed), keys
        self.functions = session.execute(ARGUMENTS).fetchall()
        self.attachable = [name for (name,) in session.execute(ATTACHABLE).fetchall()]
        self.own: set[str] = set()
        self.outcomes: Counter[str] = Counter()

    def run(self, calls: int) -> None:
        """So many transactions, each with some settings and one act."""
        acts = [self.call] * 6 * bool(self.functions) + [self.insert, self.change, self.attach]
        acts += [self.say] * 2 * any("record_v1" in name for name, *_ in self.functions)
        for _ in range(calls):
            act = self.random.choice(acts)
            try:
                with self.session.transaction():
                    self.configure()
                    act()
            except psycopg.Error as error:
                self.outcomes[error.sqlstate or "client"] += 1
            else:
                self.outcomes["done"] += 1

    def configure(self) -> None:
        """Any setting of ours that anybody may set, and those that change how text is read."""
        self.session.execute("SET LOCAL statement_timeout = '5s'")
        for _ in range(self.random.randint(0, 2)):
            name, value = f"lifecycle.{self.random.choice(SETTINGS)}", self.text()
            self.session.execute("SELECT set_config(%s, %s, true)", (name, value))
        if not self.random.randrange(8):
            self.session.execute("SET LOCAL search_path = pg_temp, public")
            self.session.execute("SET LOCAL DateStyle = 'SQL, DMY'")

    def call(self) -> None:
        name, required, types = self.random.choice(self.functions)
        given = types[: self.random.randint(required, len(types))]
        arguments = sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Literal(self.value(kind)), sql.SQL(kind)) for kind in given
        )
        bare = sql.SQL(name.partition("(")[0])
        self.session.execute(sql.SQL("SELECT {}({})").format(bare, arguments))

    def say(self) -> None:
        """What people may say of rows, with at most one argument that is not."""
        wrong = self.random.randrange(8)
        one = f"({{{self.random.choice(self.keys)}}},,,)"
        arguments = [
            self.random.choice(PEOPLE), "tokens", "zoo.token", one,
            self.random.choice(["{}", '{"until": "2030-01-01T00:00:00+00:00"}', '{"reason": "x"}']),
        ]  # fmt: skip
        types = ["text", "text", "text", "lifecycle.subjects", "jsonb"]
        if wrong < len(arguments):
            arguments[wrong] = self.value(types[wrong])
        self.session.execute(
            "SELECT lifecycle.record_v1(%s, %s, %s, %s::lifecycle.subjects, %s::jsonb)", arguments
        )

    def insert(self) -> None:
        found = self.session.execute(
            "INSERT INTO zoo_token (label, active, expires_at)"
            " VALUES ('', true, now() + interval '1 hour') RETURNING id"
        ).fetchone()
        assert found is not None
        self.own.add(str(found[0]))

    def change(self) -> None:
        """Only rows of its own: those of others it may write, and then that is recorded."""
        keys = list(map(int, self.own))
        for text in ("UPDATE zoo_token SET expires_at = now() + interval '2 hours'",
                     "DELETE FROM zoo_token"):  # fmt: skip
            if self.random.randrange(2):
                self.session.execute(f"{text} WHERE id = ANY (%s)", (keys,))

    def attach(self) -> None:
        """A trigger of ours on a table of its own, named as a table of the site."""
        self.session.execute(
            "CREATE TEMP TABLE zoo_token ON COMMIT DROP AS SELECT id, '' AS label, true AS active,"
            " now() AS expires_at FROM unnest(%s::bigint[]) AS id",
            (self.keys,),
        )
        name, columns = self.random.choice(self.attachable), "REFERENCING OLD TABLE AS old_rows"
        self.session.execute(
            f"CREATE TRIGGER forged AFTER DELETE ON pg_temp.zoo_token {columns}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
        self.session.execute("DELETE FROM pg_temp.zoo_token")

    def text(self) -> str:
        words = ["tokens", "orders", "zoo.token", "zoo.order", "zoo.upload", "", *self.keys, *KINDS]
        return self.random.choice([self.random.choice(words), json.dumps(self.detail())])

    def detail(self) -> dict[str, Any]:
        chosen = self.random.sample(list(DETAILS), self.random.randint(0, 5))
        return {name: self.random.choice(DETAILS[name]) for name in chosen}

    def value(self, kind: str) -> str | None:
        """The text of a value of a type; sometimes NULL."""
        if not self.random.randrange(8):
            return None
        if kind.endswith("[]"):
            one = self.value(kind.removesuffix("[]"))
            return "{" + json.dumps(one) + "}" if one is not None else "{}"
        if kind == "lifecycle.subjects":
            key = self.random.choice(self.keys)
            return self.random.choice(
                [f"({{{key}}},,,)", f"(,,{{{key}}},)", f'(,,,"[{key},{key}]")']
            )
        moment = self.random.choice(["2000-01-01", "infinity", "2999-01-01", "now"])
        drawn = {
            "jsonb": json.dumps(self.detail()), "json": json.dumps(self.detail()),
            "bigint": self.random.choice(["0", "1", "-1", *self.keys, str(2**62)]),
            "integer": self.random.choice(["0", "1", "100"]), "boolean": "true",
            "timestamp with time zone": moment, "interval": "1 hour", "bytea": "\\x0102",
        }  # fmt: skip
        return drawn.get(kind, self.text())
