-- One-time passwords in production terms: the column `grace` is left to its default, none.
INSERT INTO demo_userotp (email, code_hash, expires_at)
SELECT format('otp-%%s@%%s', n, %(domain)s::text), md5(n::text), %(due)s
FROM generate_series(1, %(count)s) AS n
RETURNING id
