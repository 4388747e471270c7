-- Drop the partition of a policy's table whose rows' times end at `p_until`, and record its rows as purged, counted.
-- Believes nothing: the policy acts, the catalogue says that each row which it can have is past its end, no row of it is
-- held or restored, it has the rows that were looked at. And what the caller knows of hours and cap is not old: it stands
-- before `p_before`, and no more than an hour from now. A pause or a hold on the policy that waits by now goes first:
-- then it raises lock_not_available. Gives '' and drops it, or says why not and leaves it. What
-- waits for the table waits from the lock on it to the end of the transaction: call it last.
CREATE FUNCTION lifecycle.drop_partition_v1(
    p_policy text, p_until timestamptz, p_rows bigint, p_run bigint, p_before timestamptz
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET row_security = off AS $$
DECLARE
    about record;
    part record;
    rows bigint;
BEGIN
    PERFORM lifecycle.share_lock_v1(p_policy);
    SELECT policy.model INTO about FROM @tables@.lifecycle_policy AS policy
    WHERE policy.name = p_policy AND policy.state = 'enabled' AND policy.partitioned IS NOT NULL
    AND NOT EXISTS (SELECT FROM @tables@.lifecycle_exception AS hold
        WHERE hold.kind = 'hold' AND hold.model = policy.model AND hold.key = '' AND hold.policy <> ''
        AND lifecycle.in_force_v1(hold.until, lifecycle.now_v1()));
    IF NOT FOUND THEN
        RETURN 'stopped';
    END IF;
    SELECT * INTO STRICT part FROM lifecycle.take_partition_v1(p_policy, p_until);
    IF part.problem <> '' THEN
        RETURN part.problem;
    END IF;
    IF EXISTS (SELECT FROM lifecycle.excepted_rows_v1(p_policy, part.place) AS said WHERE said.held + said.restored > 0) THEN
        RETURN 'held';
    END IF;
    EXECUTE format('SELECT count(*) FROM ONLY %s', part.name) INTO rows;
    IF rows IS DISTINCT FROM p_rows THEN
        RETURN 'changed';
    ELSIF (lifecycle.now_v1() < p_before AND p_before <= lifecycle.now_v1() + interval '1 hour') IS NOT TRUE THEN
        RETURN 'late';
    END IF;
    IF rows > 0 THEN
        PERFORM lifecycle.write_v1('purged', p_policy, about.model, NULL, rows, NULL, NULL, p_run,
            jsonb_build_object('windows', jsonb_build_array(p_until), 'partition', part.name), NULL);
    END IF;
    -- From here on every statement on the table waits. Its own lock first, as all do who read or write it.
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', part.root::regclass);
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', part.name);
    IF to_regclass(part.name)::oid IS DISTINCT FROM part.place OR NOT EXISTS (
            SELECT FROM pg_inherits WHERE inhrelid = part.place AND inhparent = part.root) THEN
        RAISE EXCEPTION 'lifecycle: % is no longer the partition that was looked at', part.name
            USING ERRCODE = 'object_in_use';
    END IF;
    EXECUTE format('DROP TABLE %s', part.name);
    RETURN '';
END $$
