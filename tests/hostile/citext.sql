-- What the extension citext is, for servers that do not have it: text that is compared without case.
CREATE TYPE citext;
CREATE FUNCTION citextin(cstring) RETURNS citext LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION citextout(citext) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, LIKE = text, CATEGORY = 'S', COLLATABLE = true);
CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (citext AS varchar) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS citext) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (varchar AS citext) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION citext_cmp(citext, citext) RETURNS int LANGUAGE sql IMMUTABLE STRICT
    RETURN pg_catalog.bttextcmp(pg_catalog.lower($1::text), pg_catalog.lower($2::text));
CREATE FUNCTION citext_hash(citext) RETURNS int LANGUAGE sql IMMUTABLE STRICT
    RETURN pg_catalog.hashtext(pg_catalog.lower($1::text));
CREATE FUNCTION citext_hash(citext, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
    RETURN pg_catalog.hashtextextended(pg_catalog.lower($1::text), $2);
CREATE FUNCTION citext_eq(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT
    RETURN pg_catalog.lower($1::text) OPERATOR(pg_catalog.=) pg_catalog.lower($2::text);
CREATE FUNCTION citext_ne(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT
    RETURN NOT citext_eq($1, $2);
CREATE FUNCTION citext_lt(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT
    RETURN citext_cmp($1, $2) OPERATOR(pg_catalog.<) 0;
CREATE FUNCTION citext_le(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT
    RETURN citext_cmp($1, $2) OPERATOR(pg_catalog.<=) 0;
CREATE FUNCTION citext_gt(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT
    RETURN citext_cmp($1, $2) OPERATOR(pg_catalog.>) 0;
CREATE FUNCTION citext_ge(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT
    RETURN citext_cmp($1, $2) OPERATOR(pg_catalog.>=) 0;
CREATE OPERATOR = (LEFTARG = citext, RIGHTARG = citext, FUNCTION = citext_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR <> (LEFTARG = citext, RIGHTARG = citext, FUNCTION = citext_ne, COMMUTATOR = <>, NEGATOR = =);
CREATE OPERATOR < (LEFTARG = citext, RIGHTARG = citext, FUNCTION = citext_lt, COMMUTATOR = >, NEGATOR = >=);
CREATE OPERATOR <= (LEFTARG = citext, RIGHTARG = citext, FUNCTION = citext_le, COMMUTATOR = >=, NEGATOR = >);
CREATE OPERATOR > (LEFTARG = citext, RIGHTARG = citext, FUNCTION = citext_gt, COMMUTATOR = <, NEGATOR = <=);
CREATE OPERATOR >= (LEFTARG = citext, RIGHTARG = citext, FUNCTION = citext_ge, COMMUTATOR = <=, NEGATOR = <);
CREATE OPERATOR CLASS citext_ops DEFAULT FOR TYPE citext USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 citext_cmp(citext, citext);
CREATE OPERATOR CLASS citext_ops DEFAULT FOR TYPE citext USING hash AS
    OPERATOR 1 =, FUNCTION 1 citext_hash(citext), FUNCTION 2 citext_hash(citext, bigint);
