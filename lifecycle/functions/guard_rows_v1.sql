-- The ledger only grows.
CREATE OR REPLACE FUNCTION lifecycle.guard_rows_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'lifecycle_event is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$
