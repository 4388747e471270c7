-- Cut a log back to a size up to which it is the same as what was published: what it has sealed beyond is given back.
CREATE FUNCTION lifecycle.cut_log_v1(p_log int, p_size bigint, p_frontier bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM @tables@.lifecycle_seal WHERE log = p_log AND first >= p_size;
    UPDATE @tables@.lifecycle_seal AS seal SET count = kept.count, events = seal.events[1:kept.count],
        leaves = substr(seal.leaves, 1, 32 * kept.count), salts = substr(seal.salts, 1, 16 * kept.count)
    FROM (SELECT id, (p_size - first)::int AS count FROM @tables@.lifecycle_seal
          WHERE log = p_log AND first + count > p_size) AS kept
    WHERE seal.id = kept.id;
    UPDATE @tables@.lifecycle_log SET size = p_size, frontier = p_frontier, shipping = NULL WHERE incarnation = p_log;
$$
