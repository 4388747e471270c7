-- Whether all policies are paused: then media, which are of no policy, stay as well.
CREATE FUNCTION lifecycle.all_paused_v1() RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM @tables@.lifecycle_policy WHERE state = 'paused')
        AND NOT EXISTS (SELECT FROM @tables@.lifecycle_policy WHERE state = 'enabled')
$$
