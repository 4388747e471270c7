-- name: moments
-- The clock, and when a hold was released last, or came to its own end.
SELECT lifecycle.now_v1(), greatest(
    (SELECT max(recorded_at) FROM lifecycle_event WHERE kind = 'hold_released'),
    (SELECT max(until) FROM lifecycle_exception WHERE kind = 'hold' AND until <= lifecycle.now_v1()))
