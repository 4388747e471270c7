-- What the engine has announced in this transaction; NULL where it has not, whatever the setting says.
CREATE FUNCTION lifecycle.announced_v1() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    setting text := lifecycle.setting_v1('ending');
BEGIN
    IF setting IS NOT NULL AND left(setting, 64) = lifecycle.proof_v1(substr(setting, 65)) THEN
        RETURN substr(setting, 65)::jsonb;
    END IF;
    RETURN NULL;
END $$
