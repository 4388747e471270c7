-- Nobody calls anything here but the owner and those it grants it to by name (see
-- `lifecycle/install/roles.py`): triggers run as the owner. Everybody may call what tells no secret and writes nothing.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA lifecycle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lifecycle.now_v1, lifecycle.in_force_v1, lifecycle.finite_v1, lifecycle.tick_v1,
    lifecycle.setting_v1, lifecycle.all_paused_v1, lifecycle.window_text_v1,
    lifecycle.window_v1, lifecycle.window_end_v1, lifecycle.window_due_v1,
    lifecycle.size_v1, lifecycle.slice_v1, lifecycle.sorted_v1, lifecycle.one_v1, lifecycle.shares_keys_v1, lifecycle.unrecorded_v1,
    lifecycle.elsewhere_v1, lifecycle.text_v1, lifecycle.interval_text_v1, lifecycle.decides_v1
TO PUBLIC
