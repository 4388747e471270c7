"""The package's functions, in the order in which they need one another."""

from django.db import migrations

from lifecycle.operations import RunFiles


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0001_initial")]
    operations = [
        RunFiles(
            [
                "schema",
                "subjects",
                "now_v1",
                "in_force_v1",
                "finite_v1",
                "tick_v1",
                "window_v1",
                "window_end_v1",
                "window_due_v1",
                "window_text_v1",
                "all_paused_v1",
                "setting_v1",
                "size_v1",
                "slice_v1",
                "sorted_v1",
                "one_v1",
                "salt",
                "hmac_v1",
                "proof_v1",
                "identities_v1",
                "keys_v1",
                "texts_v1",
                "excepted_v1",
                "excepted_of_v1",
                "excepted_keys_v1",
                "touches_v1",
                "exceptions_v1",
                "list_v1",
                "apply_v1",
                "write_v1",
                "scheduled_v1",
                "unlisted_v1",
                "windowed_v1",
                "capture_failed_v1",
                "announce_v1",
                "announced_v1",
                "ending_v1",
                "ended_v1",
                "truncated_v1",
                "media_orphaned_v1",
                "record_v1",
                "look_again_v1",
                "saved_v1",
                "unevaluated_v1",
                "removed_v1",
                "unshown_v1",
                "names_v1",
                "renewed_v1",
                "story_v1",
                "rebuild_v1",
                "guard_rows_v1",
                "guard_rows_trigger",
                "guard_truncate_trigger",
                "agenda_autovacuum",
                "event_storage",
                "grants",
                "version_stamp",
            ],
            reverse_sql="DROP SCHEMA lifecycle CASCADE",
        )
    ]
