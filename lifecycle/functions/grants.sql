-- Any role that may write a tracked table can record what it wrote, and nothing else: the ledger's
-- other functions are for the role that owns them, and for those it grants them to.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA lifecycle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lifecycle.now_v1, lifecycle.in_force_v1, lifecycle.finite_v1, lifecycle.tick_v1,
    lifecycle.setting_v1, lifecycle.window_text_v1, lifecycle.all_paused_v1,
    lifecycle.window_v1, lifecycle.window_end_v1, lifecycle.window_due_v1, lifecycle.excepted_v1,
    lifecycle.excepted_keys_v1, lifecycle.unlisted_v1, lifecycle.windowed_v1, lifecycle.scheduled_v1,
    lifecycle.capture_failed_v1,
    lifecycle.ending_v1, lifecycle.ended_v1, lifecycle.truncated_v1,
    lifecycle.media_orphaned_v1
TO PUBLIC
