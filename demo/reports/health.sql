-- name: suppressed_domains
-- The domains with the most active suppressions.
SELECT lower(split_part(address, '@', 2)) AS domain, count(*) FROM demo_emailsuppression
WHERE active GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
