"""The migration operation that names `.sql` files of this package."""

from typing import Any

from django.db.migrations.operations.base import Operation
from pgtrigger import compiler
from psycopg import sql

from lifecycle.db.sql import function_file, load

#: Every file that the migrations run, in their order: for test databases made without migrations.
FUNCTIONS = [
    "schema",
    "pending_storage",
    "written_singly",
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
    "text_v1",
    "interval_text_v1",
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
    "decides_v1",
    "decide_v1",
    "move_pending_v1",
    "gather_pending_v1",
    "apply_v1",
    "write_v1",
    "scheduled_v1",
    "scheduled_one_v1",
    "unlisted_v1",
    "windowed_v1",
    "capture_failed_v1",
    "announce_v1",
    "claimed_v1",
    "announced_v1",
    "ending_v1",
    "ended_v1",
    "ended_one_v1",
    "truncated_v1",
    "media_orphaned_v1",
    "tables_of_v1",
    "may_say_v1",
    "record_v1",
    "plan_v1",
    "look_again_v1",
    "retry_v1",
    "saved_v1",
    "unevaluated_v1",
    "removed_v1",
    "unshown_v1",
    "names_v1",
    "shares_keys_v1",
    "unrecorded_v1",
    "elsewhere_v1",
    "placed_v1",
    "make_lock_v1",
    "share_lock_v1",
    "take_lock_v1",
    "try_lock_v1",
    "renewed_v1",
    "story_v1",
    "held_deleted_v1",
    "may_hold_v1",
    "days_v1",
    "segment_v1",
    "cover_v1",
    "fold_v1",
    "rebuild_v1",
    "lock_policies_v1",
    "steer_v1",
    "spend_v1",
    "beat_v1",
    "partitions_v1",
    "take_partition_v1",
    "excepted_rows_v1",
    "drop_partition_v1",
    "fields_v1",
    "micros_v1",
    "merkle_root_v1",
    "part_v1",
    "subjects_v1",
    "parts_v1",
    "only_key_v1",
    "rows_v1",
    "entries_v1",
    "open_log_v1",
    "seal_v1",
    "note_log_v1",
    "cut_log_v1",
    "next_log_v1",
    "prunable_v1",
    "prune_v1",
    "guard_rows_v1",
    "guard_rows_trigger",
    "guard_truncate_trigger",
    "guard_pending_v1",
    "guard_pending_rows_trigger",
    "guard_pending_truncate_trigger",
    "agenda_autovacuum",
    "event_storage",
    "segment_storage",
    "grants",
    "version_stamp",
]


class RunFiles(Operation):
    """Run `.sql` files in order; `@tables@` is the schema in which this app's tables are."""

    reversible = True
    reduces_to_sql = False

    def __init__(self, files: list[str], reverse_sql: str = "SELECT") -> None:
        self.files, self.reverse_sql = files, reverse_sql

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models are as they were."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if not self._is_for(app_label, schema_editor.connection, to_state):
            return
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            schema = cursor.fetchone()[0]
        for name in self.files:
            schema_editor.execute(function_file(name).replace("@tables@", schema), params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if self._is_for(app_label, schema_editor.connection, from_state):
            schema_editor.execute(self.reverse_sql, params=None)

    def _is_for(self, app_label: str, connection: Any, state: Any) -> bool:
        """Whether the router puts the app's tables here: without them the functions have no use."""
        models = [model for model in state.apps.get_models() if model._meta.app_label == app_label]
        here = all(self.allow_migrate_model(connection.alias, model) for model in models)
        return connection.vendor == "postgresql" and here

    def describe(self) -> str:
        return f"Run {len(self.files)} SQL files of lifecycle"


REMOVED = "lifecycle removed"  # the mark of a function whose trigger a migration has removed


class CaptureSql(compiler.UpsertTriggerSql):
    """The SQL of one capture trigger, as migrations keep it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("level", "STATEMENT")
        super().__init__(**kwargs)

    def get_template(self) -> str:
        return load(__file__, "upsert_trigger")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CaptureSql) and self._same() == other._same()

    def __hash__(self) -> int:
        return hash(self._same())

    def _same(self) -> tuple[str, str, str]:
        return self.pgid, self.table, self.hash

    @property
    def mark(self) -> str:
        """The comment of the function: which declaration it was made from."""
        return f"lifecycle {self.hash}"

    @property
    def source(self) -> str:
        """The function's body, as the catalogue has it."""
        return f"\n{self.kwargs['func']}\n"

    @property
    def operation(self) -> str:
        """INSERT, UPDATE, DELETE or TRUNCATE."""
        return self.kwargs["operation"]

    @property
    def moment(self) -> str:
        """AFTER, or BEFORE."""
        return self.kwargs["when"]

    @property
    def referencing(self) -> str:
        """The clause that names the transition tables; '' where there are none."""
        return self.kwargs.get("referencing", "")


class Captured(compiler.Trigger):
    """A capture trigger, as migrations keep it.

    Adding it makes the function, removing it marks the function; neither locks the table, which
    is done after the migration (see `lifecycle.install.triggers`).
    """

    @property
    def uninstall_sql(self) -> str:
        table = sql.Identifier(self.sql.table).as_string()
        return load(__file__, "remove_trigger").format(pgid=self.sql.pgid, table=table)
