-- One saved row on which the policy's expression failed.
SELECT lifecycle.capture_failed_v1(%(policy)s::text, %(model)s::text,
    lifecycle.one_v1(%(kind)s::text, %(key)s::{type}::text), %(sqlstate)s::text)
