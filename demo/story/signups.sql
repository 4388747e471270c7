-- name: write_registrations
-- Registrations that were made 60 minutes before `due`, written past the ORM.
INSERT INTO demo_pendingregistration (email, token, created_at, grace)
SELECT format('raw-%%s@%%s', n, %(domain)s::text), md5(n::text), %(due)s - interval '3600 seconds', %(grace)s
FROM generate_series(1, %(count)s) AS n
RETURNING id

-- name: write_otps
-- One-time passwords in production terms: the column `grace` is left to its default, none.
INSERT INTO demo_userotp (email, code_hash, expires_at)
SELECT format('otp-%%s@%%s', n, %(domain)s::text), md5(n::text), %(due)s
FROM generate_series(1, %(count)s) AS n
RETURNING id
