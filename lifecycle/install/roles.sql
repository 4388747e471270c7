-- name: tables
-- Tables by name, as this session's search path finds them: schema, name, owner, and the sequences that
-- their columns own.
-- params: names
SELECT schema.nspname, class.relname, pg_get_userbyid(class.relowner), ARRAY(
    SELECT sequence.relname::text FROM pg_depend AS owned
    JOIN pg_class AS sequence ON sequence.oid = owned.objid AND sequence.relkind = 'S'
    WHERE owned.refobjid = class.oid AND owned.classid = 'pg_class'::regclass
    AND owned.refclassid = 'pg_class'::regclass AND owned.deptype IN ('a', 'i') ORDER BY 1)
FROM unnest(%(names)s::text[]) AS wanted (name)
JOIN pg_class AS class ON class.oid = to_regclass(quote_ident(wanted.name))
JOIN pg_namespace AS schema ON schema.oid = class.relnamespace
ORDER BY 1, 2

-- name: functions
-- Functions of the package by name, with their arguments, quoted by PostgreSQL.
-- params: names
SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = to_regnamespace('lifecycle') AND proname = ANY (%(names)s::text[])
ORDER BY proname, oid

-- name: standing
-- A role: whether it is a superuser, whether it has the rights of an owner; no line where there is none.
-- params: role, owners
SELECT rolsuper, EXISTS (
    SELECT FROM unnest(%(owners)s::text[]) AS owner (name) WHERE pg_has_role(oid, owner.name, 'MEMBER'))
FROM pg_roles WHERE rolname = %(role)s

-- name: use_schema
GRANT USAGE ON SCHEMA {schema} TO {role}

-- name: clear_table
REVOKE ALL ON TABLE {table} FROM {role}

-- name: clear_functions
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA lifecycle FROM {role}

-- name: grant_table
GRANT {rights} ON TABLE {table} TO {role}

-- name: grant_sequences
GRANT {rights} ON SEQUENCE {sequences} TO {role}

-- name: grant_functions
GRANT EXECUTE ON FUNCTION {functions} TO {role}

-- name: clear_sequences
REVOKE ALL ON SEQUENCE {sequences} FROM {role}

-- name: members
-- Pairs of roles of which the first has, by membership, the rights of the second.
-- params: names
SELECT one.name, other.name
FROM unnest(%(names)s::text[]) AS one (name), unnest(%(names)s::text[]) AS other (name)
WHERE one.name <> other.name AND pg_has_role(one.name, other.name, 'MEMBER') ORDER BY 1, 2

-- name: further
-- What a role may do with tables beside what is wanted, by itself or as a member of another: the right, and the
-- names of the tables. What everybody may is not the role's.
-- params: role, tables, wanted
SELECT kind.name, array_agg(given.name ORDER BY given.name)
FROM unnest(%(tables)s::text[], %(wanted)s::text[]) AS given (name, rights),
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS kind (name)
WHERE has_table_privilege(%(role)s, given.name, kind.name)
AND NOT has_table_privilege('public', given.name, kind.name)
AND NOT kind.name = ANY (string_to_array(given.rights, ', '))
GROUP BY kind.name ORDER BY 1
