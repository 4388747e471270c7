-- name: worker
-- When workers last looked over the ledger, and how long ago; passes under way of the newest thousand; troubles that
-- people were told of and that are not over, by kind.
SELECT (SELECT greatest(seen_at, opened_at) FROM purge_alert WHERE kind = 'look' AND ended_at IS NULL LIMIT 1),
    lifecycle.now_v1(),
    (SELECT count(*) FROM (SELECT finished_at FROM purge_run ORDER BY id DESC LIMIT 1000) AS newest WHERE finished_at IS NULL),
    ARRAY(SELECT count(*) || ' ' || kind FROM purge_alert WHERE ended_at IS NULL AND kind <> 'look' GROUP BY kind ORDER BY kind)

-- name: plans
-- Plans that wait for somebody, and those that are being applied.
-- params: lasts
SELECT (SELECT count(*) FROM purge_plan WHERE state = 'made' AND made_at > lifecycle.now_v1() - %(lasts)s),
    (SELECT count(*) FROM purge_plan WHERE state = 'applying')

-- name: archives
-- Archives on their way, how many of them could not be made, and how many are declared lost.
SELECT count(*), count(*) FILTER (WHERE attempts > 0), (
    SELECT count(*) FROM (
        SELECT DISTINCT ON (detail ->> 'archive') detail ->> 'step' AS step
        FROM lifecycle_event WHERE kind = 'archive_lost' AND detail ->> 'step' IN ('lost', 'found')
        ORDER BY detail ->> 'archive', id DESC) AS lc_last
    WHERE step = 'lost')
FROM purge_archive WHERE state <> 'done'
