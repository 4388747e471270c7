-- Text fields as the canonical form of a log's entries has them, each with its length before it, four bytes, and
-- ff ff ff ff for NULL: what PostgreSQL sends of an array after its head. In UTF-8, as every client of Django asks.
CREATE FUNCTION lifecycle.fields_v1(p_fields text[]) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.substr(pg_catalog.array_send(p_fields), 21)
$$
