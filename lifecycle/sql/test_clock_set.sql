-- From now on the clock says this, and goes on from there.
WITH before AS (DELETE FROM lifecycle.test_clock)
INSERT INTO lifecycle.test_clock
SELECT make_interval(secs => extract(epoch FROM %(now)s::timestamptz - clock_timestamp()))
