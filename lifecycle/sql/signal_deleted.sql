-- One deleted row; the runner's own deletes say what they are.
SELECT lifecycle.ended_v1(%(model)s::text, lifecycle.one_v1(%(kind)s::text, %(key)s::{type}::text), 1)
