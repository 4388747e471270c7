"""Forms of tables: what a host may have made of a table with a policy.

A form is the text of its table around the columns that all have, and what stands beside it. Where
rows cannot go, it is those that are `stuck`; the others have to. In the texts, {table} is the
table's full quoted name, {name} a plain name of its own, {type} the key's type.
"""

from dataclasses import dataclass

COLUMNS = "note text NOT NULL, stuck boolean NOT NULL, expires_at timestamptz"
WORKER = "current_user LIKE '%worker'"


@dataclass(frozen=True)
class Form:
    """`key`: the constraint that keeps keys apart. `sticks`: rows that are stuck cannot go, or
    are moved by a trigger. `model` is how Django has it: see `models.MAKERS`.
    """

    name: str
    before: str = ""
    create: str = "CREATE TABLE {table} (id {type} NOT NULL, {columns}, {key}) {tail}"
    columns: str = COLUMNS
    key: str = "PRIMARY KEY (id)"
    tail: str = ""
    after: str = ""
    table: str = "{name}"
    schema: str = "public"
    model: str = "plain"
    sticks: bool = False
    has_kids: bool = False
    direct: str = ""  # where raw SQL writes instead


def trigger(when: str, body: str, constraint: str = "") -> str:
    """A row trigger with a function of its own."""
    later = "INITIALLY DEFERRED" if constraint else ""
    return (
        "CREATE FUNCTION {name}_f() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {body} END $$;"
        f"CREATE {constraint} TRIGGER a_host {when} ON {{table}} {later}"
        " FOR EACH ROW EXECUTE FUNCTION {name}_f()"
    )


KIDS = (
    "CREATE TABLE {name}_kid (parent {type} NOT NULL REFERENCES {table} ON UPDATE CASCADE %s);"
    "GRANT ALL ON {name}_kid TO PUBLIC"
)
SOFT = "IF OLD.stuck THEN UPDATE {table} SET note = note WHERE id = OLD.id; RETURN NULL; END IF;"
RAISE = "IF OLD.stuck THEN RAISE EXCEPTION 'no'; END IF; RETURN OLD;"
ANOTHER = (  # one that is due as well, and may be of the same batch
    "IF NOT OLD.stuck THEN DELETE FROM {table} WHERE stuck"
    " AND note = replace(OLD.note, 'free', 'stuck'); END IF; RETURN OLD;"
)
TENANTS = f"tenant text NOT NULL DEFAULT 'a', {COLUMNS}"

FORMS = [
    Form("plain"),
    Form("unique index, no primary key", key="UNIQUE (id)"),
    Form("no key in the catalogue", key="CHECK (true)"),
    Form("partitioned, key of one column", tail="PARTITION BY HASH (id)",
         after=";".join(f"CREATE TABLE {{name}}_{part} PARTITION OF {{table}}"
                        f" FOR VALUES WITH (MODULUS 2, REMAINDER {part})" for part in (0, 1))),
    Form("partitioned, composite key", columns=TENANTS, key="PRIMARY KEY (tenant, id)",
         tail="PARTITION BY LIST (tenant)",
         after="CREATE TABLE {name}_a PARTITION OF {table} FOR VALUES IN ('a')"),
    Form("partitioned by time", key="UNIQUE (id, expires_at)",
         tail="PARTITION BY RANGE (expires_at)",
         after="CREATE TABLE {name}_a PARTITION OF {table} DEFAULT"),
    Form("inherited (Django)", model="child", columns="expires_at timestamptz",
         before="CREATE TABLE {name}_base (id {type} PRIMARY KEY, note text NOT NULL,"
                " stuck boolean NOT NULL)",
         key="PRIMARY KEY (id), FOREIGN KEY (id) REFERENCES {name}_base ON UPDATE CASCADE"),
    Form("INHERITS child", after="CREATE TABLE {name}_heir () INHERITS ({table})",
         direct="{name}_heir"),
    Form("schema by search_path", schema="elsewhere"),
    Form("schema in the name", schema="elsewhere", table='"elsewhere"."{name}"'),
    Form("quoted name", table="It's a {name}; or Two"),
    Form("name over 63 bytes", table="{name}_" + "long_" * 12),
    Form("row level security", sticks=True,
         after="ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
               f"CREATE POLICY p ON {{table}} USING (NOT (stuck AND {WORKER}))"),
    Form("row level security that hides nothing",
         after="ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
               "CREATE POLICY p ON {table} USING (true)"),
    Form("rule DO INSTEAD NOTHING", sticks=True,
         after="CREATE RULE r AS ON DELETE TO {table} WHERE OLD.stuck DO INSTEAD NOTHING"),
    Form("trigger deletes softly", sticks=True,
         after=trigger("BEFORE DELETE", SOFT + "RETURN OLD;")),
    Form("trigger swallows", sticks=True,
         after=trigger("BEFORE DELETE", "IF OLD.stuck THEN RETURN NULL; END IF; RETURN OLD;")),
    Form("trigger raises", sticks=True, after=trigger("BEFORE DELETE", RAISE)),
    Form("trigger raises at the commit", sticks=True,
         after=trigger("AFTER DELETE", RAISE, "CONSTRAINT")),
    Form("trigger raises 40001", sticks=True,
         after=trigger("BEFORE DELETE", RAISE.replace("'no'", "'no' USING ERRCODE = '40001'"))),
    Form("trigger moves the end", sticks=True,
         after=trigger("BEFORE INSERT OR UPDATE", "IF NEW.stuck THEN"
                       " NEW.expires_at = now() + interval '9 days'; END IF; RETURN NEW;")),
    Form("trigger writes it again", sticks=True,
         after=trigger("AFTER DELETE", "IF OLD.stuck THEN INSERT INTO {table}"
                       " SELECT OLD.*; END IF; RETURN NULL;")),
    Form("trigger deletes another row first", sticks=True,
         after=trigger("BEFORE DELETE", ANOTHER)),
    Form("trigger deletes another row", sticks=True, after=trigger("AFTER DELETE", ANOTHER)),
    Form("generated column", model="generated",
         columns="note text NOT NULL, stuck boolean NOT NULL, ends timestamptz,"
                 " expires_at timestamptz GENERATED ALWAYS AS (coalesce(ends)) STORED"),
    Form("cascade in the database", after=KIDS % "ON DELETE CASCADE", has_kids=True),
    Form("foreign key of no model", sticks=True, has_kids=True, after=KIDS % ""),
    Form("PROTECT", sticks=True, has_kids=True, after=KIDS % "", model="protected"),
    Form("view", model="unmanaged", create="", table="{name}_seen",
         before="CREATE TABLE {name}_under (id {type} PRIMARY KEY, " + COLUMNS + ")",
         after="CREATE VIEW {name}_seen AS SELECT * FROM {name}_under"),
]  # fmt: skip
